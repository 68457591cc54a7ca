from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.flows.checkout import Wanted, cancel_order, order_items
from markethall.flows.order_desk import change_order
from markethall.flows.receipts import receipt_content
from markethall.foundation.accounts.permissions import Permission, require
from markethall.foundation.payments.models import Payment
from markethall.interfaces.api.access import signed_in, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Money,
    Out,
    Paging,
    Time,
    as_items,
    listing,
    problems,
)
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel import money
from markethall.kernel.pagination import paginate
from markethall.trade.orders.models import Order, OrderLine
from markethall.trade.orders.queries import filtered, order_for, orders_for

routes = router("orders")

OrderState = Literal[
    "PENDING",
    "PROCESSING",
    "PAYMENT_FAILED",
    "PAID",
    "FULFILLED",
    "SHIPPED",
    "DELIVERED",
    "CANCELLED",
    "REFUNDED",
]


class LineOut(Out):
    id: UUID
    kind: Literal["credits", "subscription", "content", "goods"]
    item: str = Field(examples=["credits-50"])
    name: str
    quantity: int
    unit_price: Money
    total: Money
    data: dict[str, Any]

    @classmethod
    def of(cls, line: OrderLine, currency: str) -> LineOut:
        return cls(
            id=line.pk,
            kind=line.kind,
            item=line.item,
            name=line.name,
            quantity=line.quantity,
            unit_price=Money(amount=line.unit_amount, currency=currency),
            total=Money(amount=line.total, currency=currency),
            data=line.data,
        )


class RefundBrief(Out):
    id: UUID
    status: Literal["requested", "succeeded", "failed"]
    amount: Money
    reason: str
    created_at: Time


class PaymentBrief(Out):
    id: UUID
    status: Literal["created", "pending", "succeeded", "failed", "cancelled"]
    gateway: str
    amount: Money
    refunded: Money
    failure: str
    checkout_url: str
    created_at: Time
    refunds: list[RefundBrief]

    @classmethod
    def of(cls, payment: Payment) -> PaymentBrief:
        def amount(minor: int) -> Money:
            return Money(amount=minor, currency=payment.currency)

        return cls(
            id=payment.pk,
            status=payment.status,
            gateway=payment.gateway,
            amount=Money.of(payment.money),
            refunded=amount(payment.refunded),
            failure=payment.failure,
            checkout_url=payment.checkout_url,
            created_at=payment.created_at,
            refunds=[
                RefundBrief(
                    id=refund.pk,
                    status=refund.status,
                    amount=amount(refund.amount),
                    reason=refund.reason,
                    created_at=refund.created_at,
                )
                for refund in payment.refunds.all()
            ],
        )


class MoveOut(Out):
    """One step of the timeline; ``from`` is empty for the first."""

    from_status: str = Field(serialization_alias="from")
    to_status: str = Field(serialization_alias="to")
    note: str
    at: Time


class OrderOut(Out):
    id: UUID
    number: str = Field(examples=["MH-7K3Q-92XD"])
    status: OrderState
    storefront: str
    email: str
    customer_id: UUID | None
    total: Money
    refunded: Money
    lines: list[LineOut]
    payments: list[PaymentBrief]
    receipt_url: str | None
    created_at: Time
    paid_at: Time | None


class OrderDetail(OrderOut):
    timeline: list[MoveOut]


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


def show_orders(orders: Sequence[Order]) -> list[OrderOut]:
    """Orders as documents, with their payments in one query for all."""
    payments: defaultdict[UUID, list[Payment]] = defaultdict(list)
    for payment in (
        Payment.objects.filter(reference__in=[order.pk for order in orders])
        .order_by("pk")
        .prefetch_related("refunds")
    ):
        payments[payment.reference].append(payment)
    return [OrderOut(**_fields(order, payments[order.pk])) for order in orders]


def show_order(order: Order) -> OrderDetail:
    """One order with everything about it."""
    (brief,) = show_orders([order])
    moves = order.moves.order_by("pk")
    return OrderDetail(
        **dict(brief),
        timeline=[
            MoveOut(
                from_status=step.from_status, to_status=step.to_status, note=step.note, at=step.at
            )
            for step in moves
        ],
    )


def _fields(order: Order, payments: Iterable[Payment]) -> dict[str, Any]:
    return {
        "id": order.pk,
        "number": order.number,
        "status": order.status,
        "storefront": order.storefront,
        "email": order.email,
        "customer_id": order.customer_id,
        "total": Money.of(order.total_money),
        "refunded": Money.of(money.Money(order.refunded, order.currency)),
        "lines": [LineOut.of(line, order.currency) for line in order.lines.all()],
        "payments": [PaymentBrief.of(payment) for payment in payments],
        "receipt_url": f"/api/orders/{order.pk}/receipt" if order.payment_id else None,
        "created_at": order.created_at,
        "paid_at": order.paid_at,
    }


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
    response={200: OrderDetail, **problems(401, 403, 404, 409)},
)
def delete_order(request: HttpRequest, order_id: UUID) -> Any:
    """Cancel an order that is not paid. Nothing is ever erased."""
    return _cancel(request, order_id, "")


@routes.post(
    "/{uuid:order_id}/cancel",
    auth=signed_in,
    response={200: OrderDetail, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def post_cancel(request: HttpRequest, order_id: UUID, body: CancelIn | None = None) -> HttpResponse:
    """Cancel an order that is not paid."""
    reason = body.reason if body else ""
    return answer_once(request, lambda: (200, _cancel(request, order_id, reason)))


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
    cancel_order(order_id=order_id, actor_id=request.user.pk, note=note)
    return show_order(order_for(request.user, order_id))
