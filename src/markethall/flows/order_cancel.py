"""Calling an order off: before it is paid it is cancelled, after that its money goes back.

Whoever bought it may do so for as long as nothing of it is packed. Later it is a return, which
staff give back by line.
"""

from __future__ import annotations

import uuid

from django.db import transaction

from markethall.flows import fulfilment, refunds
from markethall.flows.checkout import cancel_order
from markethall.foundation.audit.actions import record
from markethall.foundation.payments.models import RefundStatus
from markethall.kernel.locking import lock
from markethall.kernel.texts import paragraphs
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders import rules
from markethall.trade.orders.actions import move
from markethall.trade.orders.errors import MoveNotAllowed, OrderMissing
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import Shipment

_REASON = "Cancelled before it was sent."
_NOT_GIVEN_BACK = "Your money could not be given back by itself. Write to us, and we see to it."


def call_off(*, order_id: uuid.UUID, actor_id: uuid.UUID | None, note: str = "") -> Order:
    """Cancel an order, or give back all of it when it is paid and nothing is packed.

    ``actor_id`` is None for a guest. Raises OrderMissing, MoveNotAllowed (also when the gateway
    gives nothing back: staff see the refund that failed), GatewayUnavailable (the refund is kept
    then, and tried again). Call it outside a transaction: it may ask the gateway.
    """
    note = paragraphs(note)
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise OrderMissing
    if order.status in rules.PAYABLE:
        return _cancel_unpaid(order, actor_id, note)
    if not may_call_off(order):
        raise MoveNotAllowed(_why_not(order))
    if order.payment_id is None:
        return _undo_free(order_id, actor_id, note)
    refund = refunds.refund_order(
        order_id=order_id,
        amount=None,
        reason=note or _REASON,
        actor_id=actor_id,
        key=f"call-off:{order_id}",
        unless=_must_be_unpacked,
    )
    if refund.status == RefundStatus.FAILED:
        raise MoveNotAllowed(_NOT_GIVEN_BACK)
    order.refresh_from_db()
    return order


def undo_free(order: Order, *, actor_id: uuid.UUID | None, note: str) -> None:
    """Undo a locked order that cost nothing and of which nothing has left, in the caller's
    transaction: its pieces go back, and there is no money to."""
    for parcel in lock(Shipment.objects.filter(reference=order.pk)):
        parcel.delete()
    fulfilment.return_unsent(order, actor_id=actor_id)
    record("orders.call_off", actor_id=actor_id, subject_type="order", subject_id=order.pk)
    move(order, OrderStatus.REFUNDED, actor_id=actor_id, note=note)


def may_call_off(order: Order) -> bool:
    """Whether whoever bought an order can still call it off."""
    if order.status in rules.PAYABLE:
        return True
    return (
        order.status == OrderStatus.PAID
        and not order.refunded
        and not Shipment.objects.filter(reference=order.pk).exists()
        and order.lines.filter(kind=LineKind.GOODS).exists()
    )


def _must_be_unpacked(order: Order) -> None:
    if not may_call_off(order):
        raise MoveNotAllowed(_why_not(order))


def _why_not(order: Order) -> str:
    if order.status == OrderStatus.PAID:
        return "This order is being packed. Write to us, and we see what can be done."
    return f"An order that is {order.status_label.lower()} cannot be cancelled."


def _cancel_unpaid(order: Order, actor_id: uuid.UUID | None, note: str) -> Order:
    with transaction.atomic():
        cancelled = cancel_order(order_id=order.pk, actor_id=actor_id, note=note)
        record("orders.call_off", actor_id=actor_id, subject_type="order", subject_id=order.pk)
    return cancelled


def _undo_free(order_id: uuid.UUID, actor_id: uuid.UUID | None, note: str) -> Order:
    with transaction.atomic():
        order = lock(Order.objects.filter(pk=order_id))[0]
        _must_be_unpacked(order)
        undo_free(order, actor_id=actor_id, note=note or _REASON)
    return order
