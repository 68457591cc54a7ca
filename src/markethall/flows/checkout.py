"""From "buy" to the gateway's page: prepare → call → record.

The order and the payment are recorded before the gateway is called, under the caller's key, so
that a crash anywhere is healed: by the caller's next try with the same key, which goes on where
the first stopped, or by ``flows.reconciliation``.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction

from markethall.flows import customers, fulfilment
from markethall.foundation.accounts.models import User
from markethall.foundation.payments.actions import (
    mark_unpaid,
    new_payment,
    open_payment,
    record_opened,
)
from markethall.foundation.payments.errors import GatewayRefused
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import ChargeLine, ChargeRequest
from markethall.foundation.payments.models import Payment, PaymentKind, PaymentStatus
from markethall.foundation.payments.queries import payments_of
from markethall.kernel import jobs
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock, lock_one
from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind
from markethall.trade.catalog.queries import offers_by_code
from markethall.trade.orders import rules
from markethall.trade.orders.access import order_link
from markethall.trade.orders.actions import move, place_order
from markethall.trade.orders.errors import OrderMissing, OrderNotPayable
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.orders.rules import PricedLine

MAX_QUANTITY = 100
# A payment page is open so long.
OPEN_FOR = timedelta(hours=23)
_OPEN = {PaymentStatus.CREATED, PaymentStatus.PENDING}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item by its code, and how many of it."""

    item: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Started:
    """An order with the payment that was opened for it."""

    order: Order
    payment: Payment


def order_items(
    *, customer: User, wanted: Sequence[Wanted], storefront: str = "", key: str | None = None
) -> tuple[Order, bool]:
    """Place an order at the prices of now, without paying it; returns it and whether it is new.

    With ``storefront``, only that one's items are for sale. Raises OfferMissing, and Invalid for a
    quantity outside 1 to ``MAX_QUANTITY``.
    """
    with transaction.atomic():
        lines = _priced(wanted, storefront)
        offers = offers_by_code(line.item for line in lines)
        return place_order(
            customer_id=customer.pk,
            email=customer.email,
            storefront=offers[lines[0].item].storefront,
            lines=lines,
            key=key,
        )


def start_checkout(
    *,
    customer: User | None,
    wanted: Sequence[Wanted] = (),
    order_id: uuid.UUID | None = None,
    storefront: str = "",
    key: str | None = None,
    kind: PaymentKind = PaymentKind.CHECKOUT,
    return_url: str = "",
) -> Started:
    """Open a payment for ``wanted`` items, or for an order that waits for one; with
    ``storefront``, of that one alone.

    Without a customer the order is a guest's: whoever calls has seen that they hold its link.
    With ``key``, a second call gives the first call's order and payment. ``return_url`` is where
    the gateway sends the browser: a path or address of this site, the order's return page when
    empty. Goods are reserved anew. Raises what ``order_items`` raises, OrderMissing,
    OrderNotPayable, OutOfStock, GatewayUnavailable and GatewayRefused. Call it outside a
    transaction: it calls the gateway.
    """
    back_to = same_site(return_url)
    with transaction.atomic(durable=True):
        if order_id is None:
            if customer is None:
                raise OrderMissing
            placed, is_new = order_items(
                customer=customer, wanted=wanted, storefront=storefront, key=key
            )
            order_id = placed.pk
            structlog.contextvars.bind_contextvars(order_id=str(order_id))
        else:
            is_new = True
        order = _own_order(customer, order_id, storefront)
        if order.shipping_address is not None and order.status in rules.PAYABLE:
            fulfilment.reserve(order)
        payment = _prepare(order, kind, back_to, must_be_open=is_new)
    if payment.failure and not payment.gateway_ref:
        raise GatewayRefused(payment.failure)
    if payment.gateway_ref or payment.status not in _OPEN:
        return Started(order, payment)
    return Started(order, open_at_gateway(order, payment))


def open_at_gateway(order: Order, payment: Payment, lines: Sequence[ChargeLine] = ()) -> Payment:
    """Call the gateway for a recorded payment, and record what it opened. Can run twice.

    ``lines`` are what the order's own amount to (see ``charge_line``), when they are known.
    Raises GatewayUnavailable, and GatewayRefused; a refused payment is over.
    """
    try:
        opened = _ask_gateway(order, payment, lines)
    except GatewayRefused as refused:
        with transaction.atomic():
            locked = lock_one(Payment.objects.filter(pk=payment.pk))
            if locked.status == PaymentStatus.CREATED:
                mark_unpaid(locked, PaymentStatus.CANCELLED, refused.detail)
        raise
    return record_opened(payment.pk, **opened)


def _ask_gateway(order: Order, payment: Payment, lines: Sequence[ChargeLine]) -> dict[str, str]:
    gateway = registry.named(payment.gateway)
    customer_ref = customers.customer_of(order.customer_id, payment.gateway)
    request = _charge_request(order, payment, customer_ref, lines or _lines_of(order))
    if payment.kind == PaymentKind.INTENT:
        intent = gateway.create_intent(request)
        return {"ref": intent.ref, "client_secret": intent.client_secret}
    checkout = gateway.create_checkout(request)
    return {"ref": checkout.ref, "checkout_url": checkout.url}


def cancel_order(*, order_id: uuid.UUID, actor_id: uuid.UUID | None, note: str = "") -> Order:
    """Cancel an order that is not paid, and close its payments at the gateway by a job.

    Money that comes all the same goes back by itself. Raises OrderMissing and MoveNotAllowed.
    """
    with transaction.atomic():
        order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
        move(order, OrderStatus.CANCELLED, actor_id=actor_id, note=note)
        for payment in payments_of(order.pk).filter(status__in=_OPEN | {PaymentStatus.FAILED}):
            jobs.enqueue("close_payment", payment_id=str(payment.pk))
    return order


def same_site(url: str) -> str:
    """``url`` as an absolute address of this site; empty stays empty. Raises Invalid for others.

    Whoever could name another site here could make the shop send its customers there.
    """
    if not url:
        return ""
    parts, site = urlsplit(url), urlsplit(settings.SITE_URL)
    is_path = url.startswith("/") and not url.startswith(("//", "/\\"))
    is_ours = (parts.scheme, parts.netloc) == (site.scheme, site.netloc)
    if not (is_path or is_ours) or any(ord(sign) < 33 or sign == "\\" for sign in url):
        raise Invalid.field("returnUrl", "The return address must be one of this site.")
    return url if is_ours else f"{settings.SITE_URL}{url}"


def _priced(wanted: Sequence[Wanted], storefront: str) -> list[PricedLine]:
    if not wanted:
        raise Invalid.field("item", "Name an item.")
    if any(not 1 <= entry.quantity <= MAX_QUANTITY for entry in wanted):
        raise Invalid.field("quantity", f"A quantity is 1 to {MAX_QUANTITY}.")
    offers = offers_by_code((entry.item for entry in wanted), storefront=storefront)
    return [
        PricedLine(
            kind=LineKind(offer.kind),
            item=offer.code,
            name=offer.name,
            quantity=entry.quantity,
            unit=offer.price,
            data=fulfilment.of_kind(offer.kind).describe(offer),
        )
        for entry in wanted
        for offer in [offers[entry.item]]
    ]


def _own_order(customer: User | None, order_id: uuid.UUID, storefront: str) -> Order:
    """Lock somebody's order; raises OrderMissing for others', and other storefronts'."""
    owner_id = customer.pk if customer else None
    found = lock(Order.objects.filter(pk=order_id, customer_id=owner_id))
    if not found or storefront not in ("", found[0].storefront):
        raise OrderMissing
    return found[0]


def _prepare(order: Order, kind: PaymentKind, return_url: str, *, must_be_open: bool) -> Payment:
    """The open payment of this kind of a locked order, or a new one."""
    tries = list(payments_of(order.pk))
    for payment in reversed(tries):
        if payment.kind == kind and (payment.status in _OPEN or not must_be_open):
            return payment
    if order.status not in rules.PAYABLE:
        raise OrderNotPayable(
            f"This order is {order.status_label.lower()}; there is nothing to pay."
        )
    if order.status == OrderStatus.PAYMENT_FAILED:
        move(order, OrderStatus.PENDING, actor_id=order.customer_id, note="Another payment")
    return open_payment(
        reference=order.pk,
        payer_id=order.customer_id,
        money=order.total_money,
        gateway=registry.current().name,
        kind=kind,
        return_url=return_url,
    )


def first_payment(
    order_id: uuid.UUID, payer_id: uuid.UUID | None, money: Money, return_url: str
) -> Payment:
    """The payment of an order that is about to be placed, to be stored with it."""
    return new_payment(
        reference=order_id,
        payer_id=payer_id,
        money=money,
        gateway=registry.current().name,
        kind=PaymentKind.CHECKOUT,
        return_url=return_url,
    )


def charge_line(
    name: str, quantity: int, total: Money, *, discount: int, tax_added: int
) -> ChargeLine:
    """What is paid of a line: after its discount, with the tax that comes on top."""
    return ChargeLine(name, quantity, total + Money(tax_added - discount, total.currency))


def _charge_request(
    order: Order, payment: Payment, customer_ref: str, lines: Sequence[ChargeLine]
) -> ChargeRequest:
    back = f"{order_link(order)}/return" if order.customer_id else order_link(order)
    return ChargeRequest(
        key=str(payment.pk),
        money=payment.money,
        description=", ".join(f"{line.quantity} × {line.name}" for line in lines)[:255],
        lines=[*lines, *_sent(order, lines)],
        email=order.email,
        return_url=payment.return_url or back,
        cancel_url=back,
        expires_at=payment.created_at + OPEN_FOR,
        customer_ref=customer_ref,
        metadata={
            "orderId": str(order.pk),
            "orderNumber": order.number,
            "paymentId": str(payment.pk),
            "storefront": order.storefront,
        },
    )


def _lines_of(order: Order) -> list[ChargeLine]:
    return [
        charge_line(
            line.name,
            line.quantity,
            Money(line.total, order.currency),
            discount=line.discount,
            tax_added=line.tax_added,
        )
        for line in order.lines.order_by("pk")
    ]


def _sent(order: Order, lines: Sequence[ChargeLine]) -> list[ChargeLine]:
    """What the shipping costs with its tax: the lines add up to the total then."""
    left = order.total - sum(line.total.amount for line in lines)
    name = order.shipping_method or "Shipping"
    return [ChargeLine(name, 1, Money(left, order.currency))] if left else []
