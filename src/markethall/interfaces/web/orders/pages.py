from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from markethall.flows.cart_orders import can_be_ordered_anew
from markethall.flows.checkout import start_checkout
from markethall.flows.order_cancel import call_off
from markethall.flows.receipts import credit_note_content, receipt_content
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments.models import Refund, RefundStatus
from markethall.foundation.payments.queries import payments_of
from markethall.interfaces.web.context import is_of
from markethall.interfaces.web.elysium.bags import owner_of, pieces_of
from markethall.interfaces.web.orders.showing import context_of
from markethall.trade.orders import rules
from markethall.trade.orders.access import order_of
from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.models import Order
from markethall.trade.orders.queries import order_for, orders_of


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
    """The part of the page that follows the order's state; the balance and the bag elsewhere on
    the page follow along."""
    context = _context(request, order_id)
    balance = {"balance": context["balance"], "held": context["held"]}
    return _status(request, context, balance=balance)


@require_POST
@login_required
def pay(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Pay, or pay again after a failure."""
    started = start_checkout(customer=request.user, order_id=order_id)
    return HttpResponseRedirect(started.payment.checkout_url, status=303)


@require_POST
@login_required
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Call an order off."""
    own = _own(request, order_id)
    if own.customer_id != request.user.pk:
        # Staff see other people's orders here, and cancel them in the console.
        raise OrderMissing
    return _call_off(request, own, request.user.pk)


@require_safe
@login_required
def receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The receipt, or invoice, as a PDF."""
    return _receipt(_own(request, order_id))


@require_safe
@login_required
def credit_note(request: HttpRequest, order_id: UUID, refund_id: UUID) -> HttpResponse:
    """What was given back, as a PDF."""
    return _credit_note(_own(request, order_id), refund_id)


@require_safe
@never_cache
def track(request: HttpRequest, token: str) -> HttpResponse:
    """The same page for whoever holds the link."""
    return _private(render(request, "orders/order.html", _tracked(request, token)))


@require_safe
@never_cache
def track_status(request: HttpRequest, token: str) -> HttpResponse:
    return _private(_status(request, _tracked(request, token)))


@require_POST
def track_pay(request: HttpRequest, token: str) -> HttpResponse:
    started = start_checkout(customer=None, order_id=_guests(token).pk)
    return HttpResponseRedirect(started.payment.checkout_url, status=303)


@require_POST
def track_cancel(request: HttpRequest, token: str) -> HttpResponse:
    return _call_off(request, _guests(token), None, to=f"/orders/track/{token}")


@require_safe
def track_receipt(request: HttpRequest, token: str) -> HttpResponse:
    return _private(_receipt(order_of(token)))


@require_safe
def track_credit_note(request: HttpRequest, token: str, refund_id: UUID) -> HttpResponse:
    return _private(_credit_note(order_of(token), refund_id))


def _status(request: HttpRequest, context: dict[str, Any], **told: Any) -> HttpResponse:
    if context["sheet"].has_goods:
        told["bag"] = {"pieces": pieces_of(request)}
    response = render(request, "orders/status.html", context)
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _own(request: HttpRequest, order_id: UUID) -> Order:
    """An order that the caller may see; that there is none is said where they last bought."""
    try:
        own: Order = order_for(request.user, order_id)
    except OrderMissing:
        last = orders_of(request.user.pk).order_by("-pk").first()
        is_of(request, last.storefront if last else "")
        raise
    is_of(request, own.storefront)
    return own


def _guests(token: str) -> Order:
    """A guest's order; somebody's with an account is acted on by them alone."""
    found = order_of(token)
    if found.customer_id is not None:
        raise OrderMissing
    return found


def _call_off(
    request: HttpRequest, own: Order, actor_id: UUID | None, *, to: str = ""
) -> HttpResponse:
    was_paid = own.status not in rules.PAYABLE
    call_off(order_id=own.pk, actor_id=actor_id, note="Cancelled by the customer")
    said = "The order is called off. Your money goes back." if was_paid else "It is cancelled."
    messages.success(request, said)
    return HttpResponseRedirect(to or f"/orders/{own.pk}", status=303)


def _receipt(own: Order) -> HttpResponse:
    return _pdf(receipt_content(own.pk), f"receipt-{own.number}")


def _credit_note(own: Order, refund_id: UUID) -> HttpResponse:
    done = Refund.objects.filter(
        pk=refund_id, payment__reference=own.pk, status=RefundStatus.SUCCEEDED
    )
    refund = done.select_related("payment").first()
    if refund is None:
        raise OrderMissing("There is no such credit note.")
    return _pdf(credit_note_content(own, refund), f"credit-note-{own.number}")


def _pdf(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}.pdf"'},
    )


def _private(response: HttpResponse) -> HttpResponse:
    """The address is the key: it is told to no other site, and to no search engine.

    Our own site may know it: under ``no-referrer`` a browser sends its forms from the origin
    ``null``, which no form is taken from.
    """
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _context(request: HttpRequest, order_id: UUID) -> dict[str, Any]:
    own = _own(request, order_id)
    balance = balance_of(request.user.pk)
    return {
        **context_of(own, f"/orders/{own.pk}", acts=own.customer_id == request.user.pk),
        "last_payment": payments_of(own.pk).last(),
        "is_in_bag": _is_in_bag(request, own),
        "balance": balance.balance,
        "held": balance.held,
    }


def _tracked(request: HttpRequest, token: str) -> dict[str, Any]:
    own = order_of(token)
    is_of(request, own.storefront)
    return {
        "is_tracked": True,
        **context_of(own, f"/orders/track/{token}", acts=own.customer_id is None),
        "last_payment": payments_of(own.pk).last(),
        "is_in_bag": _is_in_bag(request, own),
    }


def _is_in_bag(request: HttpRequest, own: Order) -> bool:
    """Whether what came to nothing can be ordered once more by who looks."""
    owner = owner_of(request)
    return owner is not None and can_be_ordered_anew(own, owner)
