"""Receipts: a PDF made once an order is paid, kept with it, and mailed; of goods it is an invoice.
Credit notes are made when they are asked for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from markethall.flows.order_news import mail_about, order_values
from markethall.flows.order_sheet import Sum, address_lines, sums_of, taxes_of
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import delete_file, read_file, store_file
from markethall.foundation.files.models import StoredFile
from markethall.foundation.messaging.actions import QUEUE
from markethall.foundation.payments.models import Refund
from markethall.kernel import jobs
from markethall.kernel.money import Money, proportion
from markethall.trade.catalog.models import LineKind
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders.errors import NotPaidYet
from markethall.trade.orders.events import OrderPaid
from markethall.trade.orders.models import Order, OrderLine, RefundLine
from markethall.trade.orders.receipt import Receipt, ReceiptLine, render
from markethall.trade.orders.shares import paid_for, paid_for_shipping

_KEEP = """
UPDATE orders_order SET receipt_id = %s WHERE id = %s AND receipt_id IS NULL RETURNING *
"""


def order_receipt(event: OrderPaid) -> None:
    """Enqueue the receipt of an order that has just been paid."""
    jobs.enqueue("issue_receipt", queue=QUEUE, order_id=str(event.order_id))


def issue_receipt(order_id: uuid.UUID) -> StoredFile:
    """The receipt of a paid order: made, kept and mailed by the first call. Raises NotPaidYet.

    Call it outside a transaction: it writes to the storage.
    """
    order = Order.objects.select_related("payment").get(pk=order_id)
    if order.paid_at is None:
        raise NotPaidYet("There is a receipt once the order is paid.")
    if order.receipt is not None:
        return order.receipt
    lines = list(order.lines.order_by("pk"))
    file = store_file(
        render(_receipt_of(order, lines)),
        purpose="receipt",
        content_type="application/pdf",
        owner_id=order.customer_id,
    )
    with transaction.atomic():
        for order in Order.objects.raw(_KEEP, [file.pk, order_id]):
            mail_about("order_receipt", order, receipt_values(order, lines), attachments=[file.pk])
            return file
    delete_file(file)  # a twin of this call was quicker
    return issue_receipt(order_id)


def receipt_content(order_id: uuid.UUID) -> bytes:
    """The PDF of a paid order's receipt. Raises NotPaidYet."""
    return read_file(issue_receipt(order_id))


def credit_note_content(order: Order, refund: Refund) -> bytes:
    """The PDF of what one refund gave back of an order."""
    return render(_credit_note_of(order, refund))


def _receipt_of(order: Order, lines: Sequence[OrderLine]) -> Receipt:
    is_invoice = any(line.kind == LineKind.GOODS for line in lines)
    return Receipt(
        title="Invoice" if is_invoice else "Receipt",
        facts=[
            ("Order", order.number),
            ("Date of payment", _day(order.paid_at)),
            *_payment_facts(order),
        ],
        at=order.paid_at or order.created_at,
        lines=[_line(line, order.currency) for line in lines],
        sums=[(_labelled(part), part.amount) for part in sums_of(order)],
        total_label="Total paid",
        total=order.total_money,
        contained=[(f"contains {_labelled(part)}", part.amount) for part in taxes_of(order)],
        note=order.customer_note and f"Your note: {order.customer_note}",
        thanks=f"Thank you for buying at {storefront(order.storefront).name}.",
        **_every(order),
    )


def _credit_note_of(order: Order, refund: Refund) -> Receipt:
    rows = RefundLine.objects.filter(refund=refund).select_related("line").order_by("line_id")
    lines = [_given_back(row, order) for row in rows]
    tax = _tax_of(order, rows)
    return Receipt(
        title="Credit note",
        facts=[
            ("Credit note", f"{order.number}-{str(refund.pk)[-6:].upper()}"),
            ("Date", _day(refund.settled_at)),
            ("Invoice", order.number),
            ("Invoice of", _day(order.paid_at)),
        ],
        at=refund.settled_at or refund.created_at,
        lines=lines or [ReceiptLine("Money given back", "", 0, refund.money, refund.money)],
        sums=[],
        total_label="Given back",
        total=refund.money,
        contained=[("of which tax", Money(tax, order.currency))] if tax else [],
        note=f"Reason: {refund.reason}",
        **_every(order),
    )


def _every(order: Order) -> dict[str, Any]:
    """What every paper of an order says."""
    shop = storefront(order.storefront)
    return {
        "number": order.number,
        "storefront": shop.name,
        "accent": shop.accent,
        "site": f"{settings.SITE_URL}{shop.path}",
        "seller": _seller(),
        "parties": _parties(order),
    }


def _seller() -> list[str]:
    house = settings.ENVIRONMENT
    address = [line.strip() for line in house.seller_address.split(";")]
    tax_id = f"Tax number {house.seller_tax_id}" if house.seller_tax_id else ""
    return [line for line in (house.seller_name, *address, tax_id) if line]


def _parties(order: Order) -> list[tuple[str, list[str]]]:
    billed = address_lines(order.billing_address) if order.billing_address else []
    if not billed and order.customer_id:
        name = User.objects.filter(pk=order.customer_id).values_list("name", flat=True).first()
        billed = [name] if name else []
    parties = [("Billed to", [*billed, order.email])]
    if order.shipping_address:
        parties.append(("Sent to", address_lines(order.shipping_address)))
    return parties


def _payment_facts(order: Order) -> list[tuple[str, str]]:
    if order.payment is None:
        return [("Paid with", "nothing was due")]
    return [
        ("Paid with", f"Card, by {order.payment.gateway.title()}"),
        ("Payment reference", order.payment.gateway_ref),
    ]


def _given_back(row: RefundLine, order: Order) -> ReceiptLine:
    money = Money(row.amount, order.currency)
    if row.line is None:
        return ReceiptLine("Shipping", "", 0, money, money)
    unit = Money(row.line.unit_amount, order.currency)
    return ReceiptLine(row.line.name, _detail(row.line), row.quantity, unit, money)


def _tax_of(order: Order, rows: Iterable[RefundLine]) -> int:
    """The tax of what was given back, rounded down, in minor units."""
    lines = list(order.lines.all())
    shipping = order.tax - sum(line.tax for line in lines)
    tax = 0
    for row in rows:
        paid = paid_for(row.line) if row.line else paid_for_shipping(order, lines)
        whole = row.line.tax if row.line else shipping
        tax += proportion(whole, min(row.amount, paid), paid) if paid > 0 else 0
    return tax


def _labelled(part: Sum) -> str:
    return f"{part.label}, {part.note}" if part.note else part.label


def _day(at: datetime | None) -> str:
    return f"{at:%d %B %Y}".lstrip("0") if at else ""


def _line(line: OrderLine, currency: str) -> ReceiptLine:
    return ReceiptLine(
        name=line.name,
        detail=_detail(line),
        quantity=line.quantity,
        unit=Money(line.unit_amount, currency),
        total=Money(line.total, currency),
    )


def _detail(line: OrderLine) -> str:
    """What was chosen of the line's options, and its code."""
    return " · ".join(
        [*(f"{name}: {value}" for name, value in line.data.get("shown", [])), line.item]
    )


def receipt_values(order: Order, lines: Iterable[OrderLine]) -> dict[str, Any]:
    """What the mail ``order_receipt`` tells."""
    rows = list(lines)
    return {
        **order_values(order),
        "lines": [_line(line, order.currency) for line in rows],
        "has_goods": any(line.kind == LineKind.GOODS for line in rows),
        "sums": [(_labelled(part), part.amount) for part in sums_of(order)],
        "contained": [(_labelled(part), part.amount) for part in taxes_of(order)],
        "address": address_lines(order.shipping_address) if order.shipping_address else [],
        "total": order.total_money,
    }
