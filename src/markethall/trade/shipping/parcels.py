"""Writes to parcels. Whoever calls holds the lock of the order that they are of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from markethall.kernel import clock
from markethall.kernel.locking import lock
from markethall.trade.shipping.models import Shipment, ShipmentLine, ShipmentStatus
from markethall.trade.shipping.tracking import tracking_page


def open_parcel(
    *, reference: uuid.UUID, contents: Mapping[uuid.UUID, int], actor_id: uuid.UUID | None
) -> Shipment:
    """A packed parcel with so many pieces of each line."""
    parcel = Shipment.objects.create(reference=reference, packed_at=clock.now(), actor_id=actor_id)
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=parcel, line_id=line_id, quantity=quantity)
        for line_id, quantity in contents.items()
    )
    return parcel


def label(
    parcel: Shipment,
    *,
    carrier: str | None,
    tracking_number: str | None,
    tracking_url: str | None,
) -> None:
    """What the carrier calls a parcel; None stays. The page of a known carrier is found by the
    number when no address is given."""
    if carrier is not None:
        parcel.carrier = carrier
    if tracking_number is not None:
        parcel.tracking_number = tracking_number
    if tracking_url is not None:
        parcel.tracking_url = tracking_url
    if not tracking_url and (carrier or tracking_number):
        parcel.tracking_url = tracking_page(parcel.carrier, parcel.tracking_number)
    parcel.save(update_fields=["carrier", "tracking_number", "tracking_url"])


def mark_shipped(parcel: Shipment) -> None:
    """A packed parcel has left."""
    parcel.status, parcel.shipped_at = ShipmentStatus.SHIPPED, clock.now()
    parcel.save(update_fields=["status", "shipped_at"])


def mark_delivered(parcel: Shipment) -> None:
    """A parcel has arrived."""
    parcel.status, parcel.delivered_at = ShipmentStatus.DELIVERED, clock.now()
    parcel.save(update_fields=["status", "delivered_at"])


def take_out(reference: uuid.UUID, line_id: uuid.UUID, pieces: int) -> None:
    """Take pieces of a line out of the parcels that have not left, the newest first; a parcel that
    is empty then is none."""
    packed = lock(Shipment.objects.filter(reference=reference, status=ShipmentStatus.PACKED))
    for parcel in reversed(packed):
        for line in parcel.lines.filter(line_id=line_id):
            gone = min(pieces, line.quantity)
            pieces -= gone
            if gone == line.quantity:
                line.delete()
            elif gone:
                line.quantity -= gone
                line.save(update_fields=["quantity"])
        if not parcel.lines.exists():
            parcel.delete()
