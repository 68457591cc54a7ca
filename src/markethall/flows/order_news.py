"""Who is told when an order moves: open pages at once, the customer by mail."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Sum

from markethall.flows.brands import brand_of
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.payments.models import Payment, Refund, RefundCause
from markethall.kernel import live
from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders.access import order_link
from markethall.trade.orders.events import (
    OrderMoved,
    OrderPaymentFailed,
    OrderRefunded,
    OrderSoldOut,
)
from markethall.trade.orders.models import Order, RefundLine, TakeBack


def tell_pages(event: OrderMoved) -> None:
    """The customer's open pages, and the console's."""
    kind = event.status.lower()
    messages = [live.Message("orders", kind, None)]
    if event.customer_id:
        messages.append(live.Message(f"order:{event.order_id}", kind, event.customer_id))
    live.send(messages)


def tell_refunded(event: OrderRefunded) -> None:
    """The open pages of that order, its customer's and the console's."""
    topic = f"order:{event.order_id}"
    customer_id = Order.objects.values_list("customer_id", flat=True).get(pk=event.order_id)
    messages = [live.Message(topic, "refunded", None)]
    if customer_id:
        messages.append(live.Message(topic, "refunded", customer_id))
    live.send(messages)


def mail_payment_failed(event: OrderPaymentFailed) -> None:
    """Tell the customer why, and where to try again."""
    payment = Payment.objects.get(pk=event.payment_id)
    order = Order.objects.get(pk=event.order_id)
    mail_about("payment_failed", order, failed_values(order, payment))


def mail_refund(event: OrderRefunded) -> None:
    """Tell the customer what comes back, and what was taken back for it. Whose bank took the money
    back knows."""
    refund = Refund.objects.select_related("payment").get(pk=event.refund_id)
    if refund.cause == RefundCause.CHARGEBACK:
        return
    credits = TakeBack.objects.filter(refund=refund, line__kind=LineKind.CREDITS)
    taken = credits.aggregate(taken=Sum("taken"))["taken"]
    order = Order.objects.get(pk=event.order_id)
    mail_about("refund", order, refund_values(order, refund, taken or 0))


def mail_sold_out(event: OrderSoldOut) -> None:
    """Tell the customer that the money of an order that came too late goes back."""
    order = Order.objects.get(pk=event.order_id)
    mail_about("sold_out", order, sold_out_values(order))


def sold_out_values(order: Order) -> dict[str, Any]:
    """What the mail ``sold_out`` tells."""
    return {**order_values(order), "amount": order.total_money}


def failed_values(order: Order, payment: Payment) -> dict[str, Any]:
    """What the mail ``payment_failed`` tells."""
    return {**order_values(order), "failure": payment.failure, "amount": payment.money}


def refund_values(order: Order, refund: Refund, taken: int) -> dict[str, Any]:
    """What the mail ``refund`` tells; ``taken`` credits left the balance for it."""
    return {
        **order_values(order),
        "amount": refund.money,
        "reason": refund.reason,
        "credits": taken,
        "lines": _given_back(refund),
    }


def _given_back(refund: Refund) -> list[tuple[str, Money]]:
    """The parts that a refund names, each with its money."""
    rows = RefundLine.objects.filter(refund=refund).select_related("line").order_by("line_id")
    return [
        (
            f"{row.quantity} × {row.line.name}" if row.line else "Shipping",
            Money(row.amount, refund.payment.currency),
        )
        for row in rows
    ]


def order_values(order: Order) -> dict[str, Any]:
    """What every mail about an order tells."""
    return {
        "order": order,
        "shop": storefront(order.storefront),
        "link": order_link(order),
    }


def mail_about(
    template: str, order: Order, values: dict[str, Any], attachments: Sequence[uuid.UUID] = ()
) -> None:
    """Mail whoever bought an order, in its storefront's face; nobody, once the buyer is
    erased. ``attachments`` are ids of stored files."""
    if order.erased_at is not None:
        return
    send_mail(
        template,
        to=order.email,
        user_id=order.customer_id,
        context=values,
        reference=order.pk,
        attachments=attachments,
        brand=brand_of(order.storefront),
    )
