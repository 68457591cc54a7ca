"""Parcels, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.flows import order_parcels
from markethall.flows.order_parcels import Carried
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.order_shapes import ParcelLineOut
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.kernel.errors import Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.orders.models import Order, OrderLine
from markethall.trade.shipping.errors import ParcelMissing
from markethall.trade.shipping.models import Shipment

routes = router("logistics")
_ships = staff(Permission.ORDERS_SHIP)

State = Literal["packed", "shipped", "delivered"]
Address = Field("", max_length=500, pattern=r"^(https?://[^\s]+)?$")


class PackedLineIn(In):
    line_id: UUID
    quantity: int = Field(ge=1, le=100_000)


class ShipmentIn(In):
    """Without ``lines``, everything that lies in no parcel yet. With a carrier or a tracking
    number the parcel leaves at once."""

    order_id: UUID
    lines: list[PackedLineIn] = Field([], max_length=200)
    carrier: str = Field("", max_length=80, examples=["DHL"])
    tracking_number: str = Field("", max_length=80)
    tracking_url: str = Address


class ShipmentChange(In):
    """What is left out stays. ``status`` moves a parcel on: packed → shipped → delivered."""

    status: Literal["shipped", "delivered"] | None = None
    carrier: str | None = Field(None, max_length=80)
    tracking_number: str | None = Field(None, max_length=80)
    tracking_url: str | None = Field(None, max_length=500, pattern=r"^(https?://[^\s]+)?$")


class ShipmentOut(Out):
    id: UUID
    order_id: UUID
    order_number: str
    order_status: str
    status: State
    carrier: str
    tracking_number: str
    tracking_url: str
    lines: list[ParcelLineOut]
    packed_at: Time
    shipped_at: Time | None
    delivered_at: Time | None


class ShipmentFilter(Paging):
    status: Literal["", "packed", "shipped", "delivered"] = ""
    order_id: UUID | None = Field(None, alias="orderId")


@routes.get(
    "",
    auth=staff(Permission.ORDERS_READ),
    response={200: Listing[ShipmentOut], **problems(401, 403, 422)},
)
def list_shipments(request: HttpRequest, filters: Query[ShipmentFilter]) -> Any:
    """Parcels, the newest first."""
    found = Shipment.objects.prefetch_related("lines")
    if filters.status:
        found = found.filter(status=filters.status)
    if filters.order_id:
        found = found.filter(reference=filters.order_id)
    page = paginate(found, order=["-id"], limit=filters.limit, cursor=filters.cursor)
    shown = iter(show_shipments(page.items))
    return listing(page, lambda _: next(shown))


@routes.post(
    "",
    auth=_ships,
    response={201: ShipmentOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def create_shipment(request: HttpRequest, body: ShipmentIn) -> HttpResponse:
    """Pack pieces of an order into a parcel, and send it when its carrier is known."""
    if len({each.line_id for each in body.lines}) < len(body.lines):
        raise Invalid.field("lines", "Name each line once.")

    leaves = bool(body.carrier or body.tracking_number)

    def act() -> tuple[int, ShipmentOut]:
        parcel = order_parcels.pack(
            order_id=body.order_id,
            actor_id=request.user.pk,
            wanted={each.line_id: each.quantity for each in body.lines} or None,
            leaves=leaves,
        )
        if leaves:
            carried = Carried(body.carrier, body.tracking_number, body.tracking_url or None)
            order_parcels.ship(parcel_id=parcel.pk, actor_id=request.user.pk, carried=carried)
        return 201, _show(parcel.pk)

    return answer_once(request, act)


@routes.get(
    "/{uuid:shipment_id}",
    auth=staff(Permission.ORDERS_READ),
    response={200: ShipmentOut, **problems(401, 403, 404)},
)
def get_shipment(request: HttpRequest, shipment_id: UUID) -> Any:
    """One parcel."""
    return _show(shipment_id)


@routes.put(
    "/{uuid:shipment_id}",
    auth=_ships,
    response={200: ShipmentOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def put_shipment(request: HttpRequest, shipment_id: UUID, body: ShipmentChange) -> Any:
    """Say who carries a parcel, that it has left, or that it has arrived."""
    carried = Carried(body.carrier, body.tracking_number, body.tracking_url)
    values: dict[str, Any] = {"parcel_id": shipment_id, "actor_id": request.user.pk}
    if body.status == "shipped":
        order_parcels.ship(**values, carried=carried)
        return _show(shipment_id)
    if carried != Carried():
        order_parcels.change_parcel(**values, carried=carried)
    if body.status == "delivered":
        order_parcels.deliver(**values)
    return _show(shipment_id)


def _show(shipment_id: UUID) -> ShipmentOut:
    found = Shipment.objects.filter(pk=shipment_id).prefetch_related("lines").first()
    if found is None:
        raise ParcelMissing
    return show_shipments([found])[0]


def show_shipments(parcels: Sequence[Shipment]) -> list[ShipmentOut]:
    """Parcels as documents, with their orders and lines in one query each for all."""
    orders = Order.objects.only("number", "status").in_bulk([row.reference for row in parcels])
    wanted = {part.line_id for row in parcels for part in row.lines.all()}
    lines = OrderLine.objects.only("name").in_bulk(wanted)
    return [
        ShipmentOut(
            id=row.pk,
            order_id=row.reference,
            order_number=orders[row.reference].number,
            order_status=orders[row.reference].status,
            status=row.status,
            carrier=row.carrier,
            tracking_number=row.tracking_number,
            tracking_url=row.tracking_url,
            lines=[
                ParcelLineOut(
                    line_id=part.line_id, name=lines[part.line_id].name, quantity=part.quantity
                )
                for part in row.lines.all()
            ],
            packed_at=row.packed_at,
            shipped_at=row.shipped_at,
            delivered_at=row.delivered_at,
        )
        for row in parcels
    ]
