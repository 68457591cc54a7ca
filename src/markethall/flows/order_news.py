"""Who is told when an order moves: open pages at once, the customer by mail."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db.models import Sum

from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.payments.models import Payment, Refund, RefundCause
from markethall.kernel import live
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders.events import OrderMoved, OrderPaymentFailed, OrderRefunded
from markethall.trade.orders.models import Order, TakeBack


def tell_pages(event: OrderMoved) -> None:
    """The customer's open pages, and the console's."""
    kind = event.status.lower()
    messages = [live.Message("orders", kind, None)]
    if event.customer_id:
        messages.append(live.Message(f"order:{event.order_id}", kind, event.customer_id))
    live.send(messages)


def mail_payment_failed(event: OrderPaymentFailed) -> None:
    """Tell the customer why, and where to try again."""
    payment = Payment.objects.get(pk=event.payment_id)
    _mail("payment_failed", event.order_id, failure=payment.failure, amount=payment.money)


def mail_refund(event: OrderRefunded) -> None:
    """Tell the customer what comes back, and what was taken back for it. Whose bank took the money
    back knows."""
    refund = Refund.objects.select_related("payment").get(pk=event.refund_id)
    if refund.cause == RefundCause.CHARGEBACK:
        return
    taken = TakeBack.objects.filter(refund=refund).aggregate(taken=Sum("taken"))["taken"]
    _mail("refund", event.order_id, amount=refund.money, reason=refund.reason, credits=taken or 0)


def _mail(template: str, order_id: uuid.UUID, **values: Any) -> None:
    order = Order.objects.get(pk=order_id)
    send_mail(
        template,
        to=order.email,
        user_id=order.customer_id,
        context={
            "order": order,
            "shop": storefront(order.storefront),
            "link": f"{settings.SITE_URL}/orders/{order.pk}",
            **values,
        },
    )
