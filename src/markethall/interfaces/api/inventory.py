"""What there is of each variant: availability for all, levels and their history for staff."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.foundation.accounts.permissions import Permission, may
from markethall.interfaces.api.access import person, public, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel.pagination import paginate
from markethall.trade.inventory import actions
from markethall.trade.inventory.models import StockItem, StockMove, StockReason
from markethall.trade.inventory.queries import (
    Availability,
    availability_of,
    moves_of,
    stock_item,
    stock_items,
)
from markethall.trade.inventory.rules import MAX_LEVEL

routes = router("inventory")
# So few are named to everybody.
_FEW = 5

State = Literal["in_stock", "few_left", "sold_out", "made_to_order"]
Reason = Literal["received", "returned", "counted", "damaged", "lost", "other"]


class Level(Out):
    """For staff: pieces on hand, and how many of them open checkouts have reserved."""

    on_hand: int
    reserved: int
    low_at: int = Field(description="Low at so many available pieces; 0 never.")
    low_since: Time | None
    is_counted: bool
    updated_at: Time


class StockOut(Out):
    """What can be had of a variant. ``left`` is told when it is few; ``level`` to staff."""

    variant_id: UUID
    sku: str
    name: str
    product_id: UUID
    product: str = Field(description="The product's slug.")
    state: State
    left: int | None
    level: Level | None


class StockFilter(Paging):
    product: str = Field("", max_length=80, description="A product's slug or id.")
    sku: list[str] = Field([], max_length=100, description="SKUs, repeated.")
    show: Literal["", "low", "out", "reserved", "uncounted"] = Field(
        "", description="For staff: only what is low, sold out, reserved, or not counted."
    )
    q: str = Field(
        "", max_length=80, description="Words of the product, or the beginning of a SKU."
    )


class StockChange(In):
    """A new ``level`` or a ``change`` of it, with a ``reason``; or how the variant is counted."""

    level: int | None = Field(None, ge=0, le=MAX_LEVEL)
    change: int | None = Field(None, ge=-MAX_LEVEL, le=MAX_LEVEL)
    reason: Reason = "counted"
    note: str = Field("", max_length=500)
    is_counted: bool | None = None
    low_at: int | None = Field(None, ge=0, le=MAX_LEVEL)


class ReceivedIn(In):
    list: str = Field(max_length=200_000, description="SKU and pieces, one pair a line.")
    note: str = Field("", max_length=500)


class ReceivedOut(Out):
    variants: int


class MoveOut(Out):
    """One change of a level, and what it made of it."""

    id: UUID
    change: int
    on_hand: int
    reason: str
    note: str
    order_id: UUID | None
    actor_id: UUID | None
    at: Time

    @classmethod
    def of(cls, row: StockMove) -> MoveOut:
        return cls(
            id=row.pk,
            change=row.change,
            on_hand=row.on_hand,
            reason=row.reason,
            note=row.note,
            order_id=row.reference,
            actor_id=row.actor_id,
            at=row.at,
        )


@routes.get(
    "",
    auth=public,
    response={200: Listing[StockOut], **problems(401, 422)},
)
def list_stock(request: HttpRequest, wanted: Query[StockFilter]) -> dict[str, Any]:
    """What there is of variants: availability for everybody, levels for staff."""
    is_staff = _is_staff(request)
    items = stock_items(
        storefront=storefront_of(request), q=wanted.q, show=wanted.show if is_staff else ""
    )
    if not is_staff:
        items = items.filter(variant__is_active=True, variant__product__status="active")
    if wanted.product:
        items = items.filter(**_product(wanted.product))
    if wanted.sku:
        items = items.filter(variant__sku__in=wanted.sku)
    page = paginate(items, order=["pk"], limit=wanted.limit, cursor=wanted.cursor)
    found = availability_of(item.pk for item in page.items)
    return listing(page, lambda item: _shown(item, found[item.pk], is_staff))


@routes.put(
    "/{uuid:variant_id}",
    auth=staff(Permission.STOCK_WRITE),
    response={200: StockOut, **problems(400, 401, 403, 404, 409, 422)},
)
def change_stock(request: HttpRequest, variant_id: UUID, body: StockChange) -> HttpResponse:
    """Set a level or change it, with a reason. Honours ``Idempotency-Key``: a ``change`` that is
    sent twice with one key is made once."""
    by = {"variant_id": variant_id, "actor_id": person(request).pk}

    def act() -> tuple[int, StockOut]:
        stock_item(variant_id)
        if body.is_counted is not None or body.low_at is not None:
            actions.change_item(is_counted=body.is_counted, low_at=body.low_at, **by)
        if body.level is not None or body.change is not None:
            reason = StockReason(body.reason)
            actions.adjust(
                level=body.level, change=body.change, reason=reason, note=body.note, **by
            )
        found = availability_of([variant_id])
        return 200, _shown(stock_item(variant_id), found[variant_id], True)

    return answer_once(request, act)


@routes.get(
    "/{uuid:variant_id}/history",
    auth=staff(Permission.STOCK_READ),
    response={200: Listing[MoveOut], **problems(401, 403, 404, 422)},
)
def stock_history(request: HttpRequest, variant_id: UUID, paging: Query[Paging]) -> dict[str, Any]:
    """How a level came to be, the latest change first."""
    stock_item(variant_id)
    rows = paginate(moves_of(variant_id), order=["-id"], limit=paging.limit, cursor=paging.cursor)
    return listing(rows, MoveOut.of)


@routes.post(
    "/receive",
    auth=staff(Permission.STOCK_WRITE),
    response={200: ReceivedOut, **problems(400, 401, 403, 413, 422)},
)
def receive_stock(request: HttpRequest, body: ReceivedIn) -> HttpResponse:
    """Add a delivery to stock: all lines or none; what is wrong is told line by line. Honours
    ``Idempotency-Key``."""

    def act() -> tuple[int, ReceivedOut]:
        count = actions.receive_list(text=body.list, note=body.note, actor_id=person(request).pk)
        return 200, ReceivedOut(variants=count)

    return answer_once(request, act)


def _is_staff(request: HttpRequest) -> bool:
    return request.user.is_authenticated and may(person(request), Permission.STOCK_READ)


def _product(named: str) -> dict[str, Any]:
    try:
        return {"variant__product_id": UUID(named)}
    except ValueError:
        return {"variant__product__slug": named}


def _shown(item: StockItem, found: Availability, is_staff: bool) -> StockOut:
    variant = item.variant
    return StockOut(
        variant_id=variant.pk,
        sku=variant.sku,
        name=variant.name or variant.product.name,
        product_id=variant.product_id,
        product=variant.product.slug,
        state=_state(found),
        left=found.available if found.is_counted and found.available <= _FEW else None,
        level=_level(item) if is_staff else None,
    )


def _state(found: Availability) -> State:
    if not found.is_counted:
        return "made_to_order"
    if not found.available:
        return "sold_out"
    return "few_left" if found.available <= _FEW else "in_stock"


def _level(item: StockItem) -> Level:
    return Level(
        on_hand=item.on_hand,
        reserved=item.reserved,
        low_at=item.low_at,
        low_since=item.low_since,
        is_counted=item.is_counted,
        updated_at=item.updated_at,
    )
