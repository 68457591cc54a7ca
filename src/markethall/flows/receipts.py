"""Receipts: a PDF made once an order is paid, kept with it, and mailed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from markethall.flows.brands import brand_of
from markethall.flows.order_news import order_values
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import delete_file, read_file, store_file
from markethall.foundation.files.models import StoredFile
from markethall.foundation.messaging.actions import QUEUE, send_mail
from markethall.kernel import jobs
from markethall.kernel.locking import lock_one
from markethall.kernel.money import Money
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders.errors import NotPaidYet
from markethall.trade.orders.events import OrderPaid
from markethall.trade.orders.models import Order, OrderLine
from markethall.trade.orders.receipt import Receipt, ReceiptLine, render


def order_receipt(event: OrderPaid) -> None:
    """Enqueue the receipt of an order that has just been paid."""
    jobs.enqueue("issue_receipt", queue=QUEUE, order_id=str(event.order_id))


def issue_receipt(order_id: uuid.UUID) -> StoredFile:
    """The receipt of a paid order: made, kept and mailed by the first call. Raises NotPaidYet.

    Call it outside a transaction: it writes to the storage.
    """
    order = _paid_order(order_id)
    if order.receipt is not None:
        return order.receipt
    file = store_file(
        render(_receipt_of(order)),
        purpose="receipt",
        content_type="application/pdf",
        owner_id=order.customer_id,
    )
    with transaction.atomic():
        lock_one(Order.objects.filter(pk=order_id))
        order = _paid_order(order_id)
        if order.receipt is not None:  # a twin of this call was quicker
            delete_file(file)
            return order.receipt
        Order.objects.filter(pk=order_id).update(receipt=file)
        _mail(order, file)
    return file


def receipt_content(order_id: uuid.UUID) -> bytes:
    """The PDF of a paid order's receipt. Raises NotPaidYet."""
    return read_file(issue_receipt(order_id))


def _paid_order(order_id: uuid.UUID) -> Order:
    order = Order.objects.select_related("payment", "receipt").get(pk=order_id)
    if order.payment is None:
        raise NotPaidYet("There is a receipt once the order is paid.")
    return order


def _receipt_of(order: Order) -> Receipt:
    if order.payment is None or order.paid_at is None:
        raise NotPaidYet
    shop = storefront(order.storefront)
    customer = User.objects.filter(pk=order.customer_id).first() if order.customer_id else None
    return Receipt(
        number=order.number,
        storefront=shop.name,
        accent=shop.accent,
        site=f"{settings.SITE_URL}{shop.path}",
        customer=customer.name if customer else "",
        email=order.email,
        paid_at=order.paid_at,
        payment=f"Card, by {order.payment.gateway.title()}",
        payment_ref=order.payment.gateway_ref,
        lines=[_line(line, order.currency) for line in order.lines.order_by("pk")],
        total=order.total_money,
    )


def _line(line: OrderLine, currency: str) -> ReceiptLine:
    return ReceiptLine(
        name=line.name,
        detail=line.item,
        quantity=line.quantity,
        unit=Money(line.unit_amount, currency),
        total=Money(line.total, currency),
    )


def _mail(order: Order, file: StoredFile) -> None:
    send_mail(
        "order_receipt",
        to=order.email,
        user_id=order.customer_id,
        context=receipt_values(order, order.lines.order_by("pk")),
        attachments=[file.pk],
        brand=brand_of(order.storefront),
    )


def receipt_values(order: Order, lines: Iterable[OrderLine]) -> dict[str, Any]:
    """What the mail ``order_receipt`` tells."""
    return {
        **order_values(order),
        "lines": [_line(line, order.currency) for line in lines],
        "total": order.total_money,
    }
