from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.flows.checkout import Wanted, order_items
from markethall.flows.order_cancel import call_off
from markethall.flows.order_desk import change_order
from markethall.flows.receipts import receipt_content
from markethall.foundation.accounts.permissions import Permission, require
from markethall.interfaces.api.access import signed_in, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.order_shapes import (
    LineOut,
    OrderDetail,
    OrderOut,
    OrderState,
    show_order,
    show_orders,
)
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Moment,
    Paging,
    as_items,
    listing,
    problems,
)
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel.pagination import paginate
from markethall.trade.orders.models import OrderStatus
from markethall.trade.orders.queries import filtered, order_for, orders_for

routes = router("orders")


class WantedIn(In):
    item: str = Field(min_length=1, max_length=64, examples=["credits-50"])
    quantity: int = Field(1, ge=1, le=100)


class OrderIn(In):
    """What to order. It is priced here, and waits to be paid."""

    lines: list[WantedIn] = Field(min_length=1, max_length=50)


class OrderChange(In):
    """By staff: a move by hand (shipped, delivered, cancelled), a note, or both."""

    status: OrderState | None = None
    note: str = Field("", max_length=500)


class CancelIn(In):
    reason: str = Field("", max_length=500)


class OrderFilter(Paging):
    status: str = Field("", max_length=14)
    storefront: str = Field(
        "", max_length=16, description="When left out, the one that the call is for, or all."
    )
    q: str = Field("", max_length=200, description="An order number, or how an e-mail begins.")
    need: Literal["", "to_pack", "to_ship"] = Field(
        "", description="What is to be done: paid and not packed, or packed and not sent."
    )
    since: Moment | None = Field(None, description="Placed then, or later.")
    until: Moment | None = Field(None, description="Placed before then.")


@routes.get(
    "", auth=signed_in, response={200: Listing[OrderOut], **problems(401, 422)}, url_name="orders"
)
def list_orders(request: HttpRequest, filters: Query[OrderFilter]) -> Any:
    """Orders, newest first: a customer's own, and all for staff who read orders."""
    page = paginate(
        filtered(
            orders_for(request.user),
            status=filters.status,
            storefront=filters.storefront or storefront_of(request),
            q=filters.q,
            need=filters.need,
            since=filters.since,
            until=filters.until,
        ).prefetch_related("lines"),
        order=["-id"],
        limit=filters.limit,
        cursor=filters.cursor,
    )
    shown = iter(show_orders(page.items))
    return listing(page, lambda _: next(shown))


@routes.post("", auth=signed_in, response={201: OrderDetail, **problems(400, 401, 403, 413, 422)})
def create_order(request: HttpRequest, body: OrderIn) -> HttpResponse:
    """Order items without paying yet; ``create-checkout`` with the order's id pays it."""
    shop = storefront_of(request)

    def act() -> tuple[int, OrderDetail]:
        wanted = [Wanted(line.item, line.quantity) for line in body.lines]
        order, _ = order_items(customer=request.user, wanted=wanted, storefront=shop)
        return 201, show_order(order)

    return answer_once(request, act)


@routes.get("/{uuid:order_id}", auth=signed_in, response={200: OrderDetail, **problems(401, 404)})
def get_order(request: HttpRequest, order_id: UUID) -> Any:
    """One order with its lines, payments and timeline."""
    return show_order(order_for(request.user, order_id))


@routes.put(
    "/{uuid:order_id}",
    auth=staff(Permission.ORDERS_WRITE),
    response={200: OrderDetail, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def put_order(request: HttpRequest, order_id: UUID, body: OrderChange) -> Any:
    """Move an order by hand, or note something about it."""
    change_order(order_id=order_id, status=body.status, note=body.note, actor_id=request.user.pk)
    return show_order(order_for(request.user, order_id))


@routes.delete(
    "/{uuid:order_id}",
    auth=signed_in,
    response={200: OrderDetail, **problems(401, 403, 404, 409, 503)},
)
def delete_order(request: HttpRequest, order_id: UUID) -> Any:
    """Cancel an order, as ``cancel`` does. Nothing is ever erased."""
    return _cancel(request, order_id, "")


@routes.post(
    "/{uuid:order_id}/cancel",
    auth=signed_in,
    response={200: OrderDetail, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def post_cancel(request: HttpRequest, order_id: UUID, body: CancelIn | None = None) -> HttpResponse:
    """Cancel an order. One that is paid, and of which nothing is packed yet, is given back in
    whole; later ask for a refund."""
    reason = body.reason if body else ""
    return answer_once(request, lambda: (200, _cancel(request, order_id, reason)), durable=False)


@routes.get(
    "/{uuid:order_id}/items",
    auth=signed_in,
    response={200: Listing[LineOut], **problems(401, 404)},
)
def get_items(request: HttpRequest, order_id: UUID) -> Any:
    """The lines of one order."""
    order = order_for(request.user, order_id)
    return as_items([LineOut.of(line, order.currency) for line in order.lines.all()])


@routes.get(
    "/{uuid:order_id}/receipt",
    auth=signed_in,
    response=problems(401, 404, 409),
    openapi_extra={
        "responses": {
            200: {
                "description": "The receipt.",
                "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def get_receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """The receipt of a paid order, as a PDF."""
    order = order_for(request.user, order_id)
    return HttpResponse(
        receipt_content(order.pk),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="receipt-{order.number}.pdf"'},
    )


def _cancel(request: HttpRequest, order_id: UUID, note: str) -> OrderDetail:
    order = order_for(request.user, order_id)
    if order.customer_id != request.user.pk:
        require(request.user, Permission.ORDERS_WRITE)
        if order.status == OrderStatus.PAID:
            require(request.user, Permission.PAYMENTS_REFUND)
    call_off(order_id=order_id, actor_id=request.user.pk, note=note)
    return show_order(order_for(request.user, order_id))
