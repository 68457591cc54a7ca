from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from markethall.flows.checkout import cancel_order, start_checkout
from markethall.flows.receipts import receipt_content
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments.queries import payments_of
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders import rules
from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.orders.queries import order_for

_WAITING = {OrderStatus.PENDING, OrderStatus.PROCESSING}


@require_safe
@never_cache
@login_required
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The order, also where the gateway's page sends the browser back to. Coming back grants
    nothing: the page shows what the gateway's webhook has settled, as soon as it has."""
    return render(request, "orders/order.html", _context(request, order_id))


@require_safe
@never_cache
@login_required
def status(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The part of the page that follows the order's state; the balance elsewhere on the page
    follows along."""
    context = _context(request, order_id)
    response = render(request, "orders/_status.html", context)
    balance = {"balance": context["balance"], "held": context["held"]}
    response.headers["HX-Trigger"] = json.dumps({"balance": balance})
    return response


@require_POST
@login_required
def pay(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Pay, or pay again after a failure."""
    started = start_checkout(customer=request.user, order_id=order_id)
    return HttpResponseRedirect(started.payment.checkout_url, status=303)


@require_POST
@login_required
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Cancel an order that is not paid."""
    own = order_for(request.user, order_id)
    if own.customer_id != request.user.pk:
        # Staff see other people's orders here, and cancel them in the console.
        raise OrderMissing
    cancel_order(order_id=own.pk, actor_id=request.user.pk, note="Cancelled by the customer")
    return HttpResponseRedirect(f"/orders/{order_id}", status=303)


@require_safe
@login_required
def receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The receipt as a PDF."""
    own = order_for(request.user, order_id)
    return HttpResponse(
        receipt_content(own.pk),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="receipt-{own.number}.pdf"'},
    )


def _context(request: HttpRequest, order_id: UUID) -> dict[str, Any]:
    own: Order = order_for(request.user, order_id)
    shop = storefront(own.storefront)
    balance = balance_of(request.user.pk)
    return {
        "order": own,
        "shop": shop,
        "layout": f"layouts/{shop.slug}.html",
        "lines": own.lines.order_by("pk"),
        "last_payment": payments_of(own.pk).last(),
        "is_waiting": own.status in _WAITING,
        "is_payable": own.status in rules.PAYABLE,
        "has_credits": any(line.kind == "credits" for line in own.lines.all()),
        "balance": balance.balance,
        "held": balance.held,
    }
