"""Packing, sending and delivering by hand, and what that makes of an order.

An order is FULFILLED when every piece that its buyer keeps lies in a parcel, SHIPPED when every
parcel has left, DELIVERED when every parcel has arrived. The order is locked before its parcels.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.kernel import events
from markethall.kernel.errors import FieldError, Invalid, Problem
from markethall.kernel.locking import lock, lock_one
from markethall.trade.orders.actions import add_note, move_through
from markethall.trade.orders.errors import MoveNotAllowed, OrderMissing
from markethall.trade.orders.events import OrderArrived, OrderPacked, ParcelShipped
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.orders.pieces import goods_of, pieces_of
from markethall.trade.shipping import parcels
from markethall.trade.shipping.errors import ParcelMissing
from markethall.trade.shipping.models import Shipment, ShipmentStatus

_PACKABLE = frozenset({OrderStatus.PAID, OrderStatus.FULFILLED})
# Where the parcels lead an order, step by step.
_WAY = (OrderStatus.PAID, OrderStatus.FULFILLED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


@dataclass(frozen=True, slots=True)
class Carried:
    """Who carries a parcel, and what they call it; None leaves it as it is."""

    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


NOT_SAID = Carried()


def pack(
    *,
    order_id: uuid.UUID,
    actor_id: uuid.UUID,
    wanted: Mapping[uuid.UUID, int] | None = None,
    leaves: bool = False,
) -> Shipment:
    """Put pieces of an order's lines into a parcel; all that are in none yet when ``wanted`` is
    None. One that ``leaves`` in the same transaction is told of when it has left.

    Raises OrderMissing, MoveNotAllowed for an order that is not to be packed, and Invalid with a
    field error for every line of which there are not so many to pack.
    """
    with transaction.atomic():
        order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
        if order.status not in _PACKABLE:
            raise MoveNotAllowed(f"An order that is {order.status_label.lower()} is not packed.")
        to_pack = {key: there.to_pack for key, there in _pieces(order).items() if there.to_pack}
        contents = to_pack if wanted is None else _checked(wanted, to_pack)
        if not contents:
            raise MoveNotAllowed("Nothing of this order is left to pack.")
        parcel = parcels.open_parcel(reference=order.pk, contents=contents, actor_id=actor_id)
        number = sum(contents.values())
        _record("orders.pack", order, parcel, actor_id, pieces=number)
        _note(order, actor_id, f"Packed {number} piece{'' if number == 1 else 's'}.")
        follow_parcels(order, actor_id=actor_id, told=not leaves)
    return parcel


def unpack(*, parcel_id: uuid.UUID, actor_id: uuid.UUID) -> Order:
    """Take a parcel that has not left apart. Raises ParcelMissing, MoveNotAllowed."""
    with transaction.atomic():
        order, parcel = _locked_parcel(parcel_id)
        _must_be(parcel, ShipmentStatus.PACKED)
        _record("orders.unpack", order, parcel, actor_id)
        _note(order, actor_id, "A parcel was taken apart.")
        parcel.delete()
    return order


def ship(*, parcel_id: uuid.UUID, actor_id: uuid.UUID, carried: Carried = NOT_SAID) -> Shipment:
    """A parcel has left. Raises ParcelMissing, MoveNotAllowed."""
    with transaction.atomic():
        order, parcel = _locked_parcel(parcel_id)
        _must_be(parcel, ShipmentStatus.PACKED)
        _label(parcel, carried)
        _ship(order, parcel, actor_id)
        follow_parcels(order, actor_id=actor_id)
    return parcel


def change_parcel(*, parcel_id: uuid.UUID, actor_id: uuid.UUID, carried: Carried) -> Shipment:
    """Put right who carries a parcel, and what they call it. Raises ParcelMissing."""
    with transaction.atomic():
        order, parcel = _locked_parcel(parcel_id)
        _label(parcel, carried)
        _record("orders.relabel", order, parcel, actor_id, tracking=parcel.tracking_number)
    return parcel


def deliver(*, parcel_id: uuid.UUID, actor_id: uuid.UUID) -> Shipment:
    """A parcel has arrived. Raises ParcelMissing, MoveNotAllowed."""
    with transaction.atomic():
        order, parcel = _locked_parcel(parcel_id)
        _must_be(parcel, ShipmentStatus.SHIPPED)
        _deliver(order, parcel, actor_id)
        follow_parcels(order, actor_id=actor_id)
    return parcel


def ship_order(
    *, order_id: uuid.UUID, actor_id: uuid.UUID, carried: Carried = NOT_SAID, note: str = ""
) -> Order:
    """Everything of an order has left: what is in no parcel goes into one. Raises OrderMissing,
    MoveNotAllowed."""
    with transaction.atomic():
        order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
        if order.status not in _PACKABLE:
            raise MoveNotAllowed(
                f"An order that is {order.status_label.lower()} cannot become shipped."
            )
        if any(there.to_pack for there in _pieces(order).values()):
            pack(order_id=order_id, actor_id=actor_id, leaves=True)
        waiting = lock(Shipment.objects.filter(reference=order_id, status=ShipmentStatus.PACKED))
        if not waiting:
            raise MoveNotAllowed("Nothing of this order is sent.")
        for parcel in waiting:
            _label(parcel, carried)
            _ship(order, parcel, actor_id)
        order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
        follow_parcels(order, actor_id=actor_id, note=note)
    return order


def deliver_order(*, order_id: uuid.UUID, actor_id: uuid.UUID, note: str = "") -> Order:
    """Everything of an order that was sent has arrived. Raises OrderMissing, MoveNotAllowed."""
    with transaction.atomic():
        order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
        if order.status != OrderStatus.SHIPPED:
            raise MoveNotAllowed(
                f"An order that is {order.status_label.lower()} cannot become delivered."
            )
        sent = Shipment.objects.filter(reference=order_id, status=ShipmentStatus.SHIPPED)
        for parcel in lock(sent):
            _deliver(order, parcel, actor_id)
        follow_parcels(order, actor_id=actor_id, note=note)
    return order


def each_of(order_ids: Iterable[uuid.UUID], act: Callable[..., Any], **values: Any) -> Done:
    """Do ``act`` to each order, in a transaction of its own."""
    done, refused = 0, []
    wanted = list(dict.fromkeys(order_ids))
    numbers = dict(Order.objects.filter(pk__in=wanted).values_list("pk", "number"))
    for order_id in wanted:
        try:
            act(order_id=order_id, **values)
        except Problem as problem:
            refused.append(f"{numbers.get(order_id, order_id)}: {problem.detail}")
        else:
            done += 1
    return Done(done, refused)


@dataclass(frozen=True, slots=True)
class Done:
    """How many orders something was done to, and why not to the others, by their numbers."""

    number: int
    refused: Sequence[str]


def follow_parcels(
    order: Order, *, actor_id: uuid.UUID | None, note: str = "", told: bool = True
) -> None:
    """Move a locked order to where its parcels are; unless ``told``, nobody hears that it is
    packed."""
    pieces = [there for there in _pieces(order).values() if there.kept]
    if order.status not in _WAY or not pieces:
        return
    reached = OrderStatus.PAID
    if all(not there.to_pack for there in pieces):
        reached = OrderStatus.FULFILLED
        if all(not there.packed for there in pieces):
            reached = OrderStatus.SHIPPED
            if all(there.delivered == there.sent for there in pieces):
                reached = OrderStatus.DELIVERED
    here, there = _WAY.index(OrderStatus(order.status)), _WAY.index(reached)
    if there > here:
        move_through(order, _WAY[here + 1 : there + 1], actor_id=actor_id, note=note)
        if reached == OrderStatus.FULFILLED and told:
            events.publish(OrderPacked(order.pk))
        elif reached == OrderStatus.DELIVERED:
            events.publish(OrderArrived(order.pk))


def _pieces(order: Order) -> dict[uuid.UUID, Any]:
    return pieces_of(goods_of([order.pk]))


def _locked_parcel(parcel_id: uuid.UUID) -> tuple[Order, Shipment]:
    seen = Shipment.objects.filter(pk=parcel_id).first()
    if seen is None:
        raise ParcelMissing
    order = lock_one(Order.objects.filter(pk=seen.reference))
    return order, lock_one(Shipment.objects.filter(pk=parcel_id), missing=ParcelMissing)


def _must_be(parcel: Shipment, status: ShipmentStatus) -> None:
    if parcel.status != status:
        raise MoveNotAllowed(f"This parcel is {parcel.status}.")


def _checked(
    wanted: Mapping[uuid.UUID, int], to_pack: Mapping[uuid.UUID, int]
) -> Mapping[uuid.UUID, int]:
    faults = [
        FieldError(f"lines.{place}.quantity", f"{to_pack.get(key, 0)} are left to pack.")
        for place, (key, quantity) in enumerate(wanted.items())
        if not 1 <= quantity <= to_pack.get(key, 0)
    ]
    if faults:
        raise Invalid(errors=faults)
    return wanted


def _label(parcel: Shipment, carried: Carried) -> None:
    parcels.label(
        parcel,
        carrier=carried.carrier,
        tracking_number=carried.tracking_number,
        tracking_url=carried.tracking_url,
    )


def _ship(order: Order, parcel: Shipment, actor_id: uuid.UUID) -> None:
    parcels.mark_shipped(parcel)
    _record("orders.ship", order, parcel, actor_id, tracking=parcel.tracking_number)
    said = " ".join(filter(None, (parcel.carrier, parcel.tracking_number)))
    _note(order, actor_id, f"A parcel was sent{f' by {said}' if said else ''}.")
    events.publish(ParcelShipped(order.pk, parcel.pk))


def _deliver(order: Order, parcel: Shipment, actor_id: uuid.UUID) -> None:
    parcels.mark_delivered(parcel)
    _record("orders.deliver", order, parcel, actor_id)
    _note(order, actor_id, "A parcel has arrived.")


def _record(verb: str, order: Order, parcel: Shipment, actor_id: uuid.UUID, **data: object) -> None:
    record(
        verb,
        actor_id=actor_id,
        subject_type="order",
        subject_id=order.pk,
        parcel=str(parcel.pk),
        **data,
    )


def _note(order: Order, actor_id: uuid.UUID, text: str) -> None:
    add_note(order, actor_id=actor_id, note=text)
