"""What the buyer of goods is told by mail on the way from the order to the door.

Who pays at once gets one mail, with the invoice. An order that still waits for its money after a
while is confirmed with the link that pays it.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from markethall.flows.order_news import mail_about, order_values
from markethall.flows.order_sheet import Parcel, parcels_of
from markethall.flows.receipts import receipt_values
from markethall.flows.settlement import SOLD_OUT_REASON
from markethall.foundation.messaging.actions import QUEUE
from markethall.foundation.messaging.models import Mail
from markethall.kernel import clock, jobs
from markethall.kernel.locking import lock_row
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders import rules
from markethall.trade.orders.events import (
    OrderArrived,
    OrderMoved,
    OrderPacked,
    ParcelShipped,
)
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.orders.pieces import goods_of, pieces_of

# An order whose place another of the same cart takes: the buyer hears of that one.
REPLACED_REASON = "Ordered anew from the same cart."
_CONFIRM_AFTER = timedelta(minutes=10)
_AT_ONCE = 500
_RECEIVED = "order_received"


def confirm_waiting() -> None:
    """Enqueue the confirmation of each order of goods that still waits for its money and has none.
    Can run any number of times. Most orders are paid by then, and cost nothing here."""
    told = Mail.objects.filter(reference=OuterRef("pk"), template=_RECEIVED)
    waiting = Order.objects.filter(
        ~Exists(told),
        status__in=rules.PAYABLE,
        shipping_address__isnull=False,
        created_at__lte=clock.now() - _CONFIRM_AFTER,
        erased_at=None,
    )
    for order_id in waiting.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]:
        jobs.enqueue("confirm_order", queue=QUEUE, order_id=str(order_id))


def confirm_order(order_id: uuid.UUID) -> None:
    """Tell the buyer of an order that waits for its money where to pay it. Once, however often it
    runs."""
    with transaction.atomic():
        order = lock_row(Order, order_id)
        told = Mail.objects.filter(reference=order_id, template=_RECEIVED)
        if order.status in rules.PAYABLE and not told.exists():
            mail_about(_RECEIVED, order, receipt_values(order, order.lines.order_by("pk")))


def mail_packed(event: OrderPacked) -> None:
    order = Order.objects.get(pk=event.order_id)
    mail_about("order_packed", order, order_values(order))


def mail_shipped(event: ParcelShipped) -> None:
    """Tell the buyer what has left, and where to follow it."""
    order = Order.objects.get(pk=event.order_id)
    lines = list(goods_of([order.pk]))
    parcel = next(each for each in parcels_of(order, lines) if each.row.pk == event.parcel_id)
    is_part = any(there.to_pack or there.packed for there in pieces_of(lines).values())
    mail_about("order_shipped", order, shipped_values(order, parcel, is_part=is_part))


def mail_arrived(event: OrderArrived) -> None:
    order = Order.objects.get(pk=event.order_id)
    mail_about("order_delivered", order, order_values(order))


def mail_cancelled(event: OrderMoved) -> None:
    """Tell the buyer of goods that an order is cancelled."""
    if event.status != OrderStatus.CANCELLED:
        return
    order = Order.objects.get(pk=event.order_id)
    note = order.moves.order_by("pk").values_list("note", flat=True).last() or ""
    if (
        note in {SOLD_OUT_REASON, REPLACED_REASON}
        or not order.lines.filter(kind=LineKind.GOODS).exists()
    ):
        return
    mail_about("order_cancelled", order, cancelled_values(order, note))


def shipped_values(order: Order, parcel: Parcel, *, is_part: bool) -> dict[str, Any]:
    """What the mail ``order_shipped`` tells."""
    row = parcel.row
    return {
        **order_values(order),
        "contents": parcel.contents,
        "carrier": row.carrier,
        "number": row.tracking_number,
        "tracking_url": row.tracking_url,
        "is_part": is_part,
    }


def cancelled_values(order: Order, note: str) -> dict[str, Any]:
    """What the mail ``order_cancelled`` tells."""
    return {**order_values(order), "note": note}
