"""Where the pieces of orders are: bought, given back, packed, sent. One statement a source, for
any number of orders."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Q, QuerySet, Sum, When

from markethall.foundation.payments.models import RefundStatus
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders.models import OrderLine, RefundLine
from markethall.trade.shipping.models import ShipmentLine, ShipmentStatus

_SENT = [ShipmentStatus.SHIPPED, ShipmentStatus.DELIVERED]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of one line. ``refunded`` counts what is being given back too, for
    ``refunded_amount`` minor units. Of what was refunded, pieces that lie in no parcel are counted
    first."""

    bought: int
    refunded: int = 0
    refunded_amount: int = 0
    packed: int = 0
    sent: int = 0
    delivered: int = 0

    @property
    def kept(self) -> int:
        """Pieces that the customer wants."""
        return self.bought - self.refunded

    @property
    def to_pack(self) -> int:
        """Pieces that lie in no parcel yet."""
        return max(0, self.kept - self.packed - self.sent)

    @property
    def unsent(self) -> int:
        """Pieces that have not left."""
        return max(0, self.kept - self.sent)


def standing() -> Q:
    """Of refund lines, those that count: a refund that failed gives nothing back, unless its money
    had gone and came back from the bank."""
    return ~Q(refund__status=RefundStatus.FAILED) | Q(refund__is_owed=True)


def pieces_of(lines: Iterable[OrderLine]) -> dict[uuid.UUID, Pieces]:
    """Where the pieces of these lines are, by line."""
    bought = {line.pk: line.quantity for line in lines}
    back = {
        row["line"]: row
        for row in RefundLine.objects.filter(standing(), line__in=bought)
        .values("line")
        .annotate(pieces=Sum("quantity"), money=Sum("amount"))
    }
    parcels = {
        row["line_id"]: row
        for row in ShipmentLine.objects.filter(line_id__in=bought)
        .values("line_id")
        .annotate(
            packed=_of([ShipmentStatus.PACKED]),
            sent=_of(_SENT),
            delivered=_of([ShipmentStatus.DELIVERED]),
        )
    }
    return {
        key: Pieces(
            bought=quantity,
            refunded=back[key]["pieces"] if key in back else 0,
            refunded_amount=back[key]["money"] if key in back else 0,
            **{
                name: (parcels[key][name] or 0) if key in parcels else 0
                for name in ("packed", "sent", "delivered")
            },
        )
        for key, quantity in bought.items()
    }


def goods_of(order_ids: Iterable[uuid.UUID]) -> QuerySet[OrderLine]:
    """The lines of these orders that are sent, in the order in which they were bought."""
    return OrderLine.objects.filter(order_id__in=list(order_ids), kind=LineKind.GOODS).order_by(
        "order_id", "pk"
    )


def _of(states: list[ShipmentStatus]) -> Sum:
    return Sum(Case(When(shipment__status__in=states, then="quantity")))
