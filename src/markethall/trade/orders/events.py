from __future__ import annotations

import uuid
from dataclasses import dataclass

from markethall.kernel.events import Event


@dataclass(frozen=True, slots=True)
class OrderMoved(Event):
    """An order is in another state now."""

    order_id: uuid.UUID
    customer_id: uuid.UUID | None
    status: str


@dataclass(frozen=True, slots=True)
class OrderPaid(Event):
    """The money for an order is there; told once an order."""

    order_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class GoodsSold(Event):
    """Orders with goods that go somewhere are paid; told once for all that one transaction
    settles."""

    order_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class OrderPaymentFailed(Event):
    """A payment for an order failed; the customer may try another."""

    order_id: uuid.UUID
    payment_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OrderRefunded(Event):
    """Money of an order went back, in part or whole; told once a refund."""

    order_id: uuid.UUID
    refund_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OrderSoldOut(Event):
    """An order was paid when its pieces were no longer to be had: it is cancelled, and its money
    goes back."""

    order_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ParcelShipped(Event):
    """A parcel of an order has left."""

    order_id: uuid.UUID
    parcel_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OrderPacked(Event):
    """Everything of an order lies in parcels, and none has left."""

    order_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OrderArrived(Event):
    """Every parcel of an order has arrived."""

    order_id: uuid.UUID
