"""What staff do to an order by hand."""

from __future__ import annotations

import uuid

from django.db import transaction

from markethall.flows.checkout import cancel_order
from markethall.flows.order_parcels import deliver_order, ship_order
from markethall.foundation.audit.actions import record
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock_one
from markethall.trade.orders import rules
from markethall.trade.orders.actions import add_note
from markethall.trade.orders.errors import MoveNotAllowed, OrderMissing
from markethall.trade.orders.models import Order, OrderStatus


def change_order(
    *, order_id: uuid.UUID, status: str | None, note: str, actor_id: uuid.UUID
) -> Order:
    """Move an order by hand, or note something about it.

    Raises OrderMissing, Invalid when there is nothing to do, and MoveNotAllowed: what follows
    from money is moved by money alone. What is sent by hand as a whole goes into one parcel.
    """
    if status is None and not note:
        raise Invalid.field("status", "Give a status, a note, or both.")
    with transaction.atomic():
        order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
        record(
            "orders.change",
            actor_id=actor_id,
            subject_type="order",
            subject_id=order_id,
            was=order.status,
            status=status,
            note=note,
        )
        if status is None or status == order.status:
            add_note(order, actor_id=actor_id, note=note)
        elif status not in rules.BY_HAND:
            raise MoveNotAllowed(f"{status} follows from what happens, and is not set by hand.")
        elif status not in rules.moves_by_hand(order.lines.values_list("kind", flat=True)):
            raise MoveNotAllowed(f"Nothing of this order is sent, so it cannot become {status}.")
        elif status == OrderStatus.CANCELLED:
            return cancel_order(order_id=order_id, actor_id=actor_id, note=note)
        elif status == OrderStatus.SHIPPED:
            return ship_order(order_id=order_id, actor_id=actor_id, note=note)
        else:
            return deliver_order(order_id=order_id, actor_id=actor_id, note=note)
    return order
