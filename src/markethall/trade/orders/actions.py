"""Writes to orders. A row handed in is locked by the caller."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, connection, models, transaction

from markethall.foundation.payments.models import Payment
from markethall.kernel import clock, events
from markethall.kernel.idempotency import IdempotencyMismatch
from markethall.kernel.ids import human_code, new_id
from markethall.kernel.rows import insert
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders import rules
from markethall.trade.orders.errors import MoveNotAllowed
from markethall.trade.orders.events import OrderMoved
from markethall.trade.orders.models import Order, OrderLine, OrderMove, OrderStatus
from markethall.trade.orders.rules import PricedLine, Terms

_TRIES = 5
# The orders, and what their timelines say of it.
_PAID = """
WITH moved AS (
    INSERT INTO orders_ordermove (id, order_id, from_status, to_status, note, at)
    SELECT *, '', %s FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[])
)
UPDATE orders_order SET status = paid.status, payment_id = paid.payment_id, paid_at = %s
  FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) AS paid (id, status, payment_id)
 WHERE orders_order.id = paid.id
"""


def place_order(
    *,
    customer_id: uuid.UUID | None,
    email: str,
    storefront: str,
    lines: Sequence[PricedLine],
    terms: Terms = rules.NO_TERMS,
    key: str | None = None,
    actor_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
    besides: Sequence[models.Model] = (),
) -> tuple[Order, bool]:
    """Place an order of priced lines on ``terms``; returns it, and whether it is new. ``besides``
    are new rows that refer to it, by the ``order_id`` given: they are stored with it.

    With ``key`` a customer's second call gives the first order; raises IdempotencyMismatch when
    it wants other lines. Raises EmptyOrder and MixedCurrencies.
    """
    items = rules.total_of(lines)
    discount = sum(line.discount for line in lines)
    with transaction.atomic(savepoint=False):
        for _ in range(_TRIES):
            if found := _placed(customer_id, key, lines):
                return found, False
            order = Order(
                id=order_id or new_id(),
                number=f"MH-{human_code()}",
                customer_id=customer_id,
                email=email,
                storefront=storefront,
                currency=items.currency,
                items_total=items.amount,
                discount=discount,
                total=items.amount - discount + terms.shipping + terms.tax_added,
                **asdict(terms),
                idempotency_key=key,
                created_at=clock.now(),
            )
            rows = [_row(order, line, terms) for line in lines]
            try:
                with transaction.atomic():
                    step = _step(order, "", actor_id or customer_id, "")
                    insert(order, *rows, step, *besides)
            except IntegrityError:  # the number is taken, or a twin of this call was quicker
                continue
            return order, True
    raise RuntimeError("No free order number was found.")


def move(
    order: Order,
    to: OrderStatus,
    *,
    actor_id: uuid.UUID | None = None,
    note: str = "",
    **fields: Any,
) -> None:
    """Move a locked order to another state, with who and when, setting ``fields`` along.

    Raises MoveNotAllowed.
    """
    move_through(order, [to], actor_id=actor_id, note=note, **fields)


def move_through(
    order: Order,
    steps: Sequence[OrderStatus],
    *,
    actor_id: uuid.UUID | None = None,
    note: str = "",
    **fields: Any,
) -> None:
    """Move a locked order through several states at once. Each is in its timeline; told is the
    last. Raises MoveNotAllowed."""
    moves = _steps(order, steps, actor_id=actor_id, note=note)
    for name, value in fields.items():
        setattr(order, name, value)
    order.save(update_fields=["status", *fields])
    insert(*moves)
    events.publish(OrderMoved(order.pk, order.customer_id, order.status))


@dataclass(frozen=True, slots=True)
class Paid:
    """A locked order, the payment that has paid it (None for one that costs nothing), and whether
    nothing is left to do for it."""

    order: Order
    payment: Payment | None
    is_fulfilled: bool


def mark_paid(paid: Sequence[Paid]) -> None:
    """Orders are paid, and fulfilled when nothing is left to do; one statement. Raises
    MoveNotAllowed."""
    now = clock.now()
    moves: list[OrderMove] = []
    for each in paid:
        order = each.order
        steps = [OrderStatus.PAID, *([OrderStatus.FULFILLED] if each.is_fulfilled else [])]
        moves += _steps(order, steps)
        order.payment, order.paid_at = each.payment, now
    orders = [each.order for each in paid]
    values: list[Any] = [
        now,
        [move.pk for move in moves],
        [move.order_id for move in moves],
        [str(move.from_status) for move in moves],
        [str(move.to_status) for move in moves],
        now,
        [order.pk for order in orders],
        [str(order.status) for order in orders],
        [order.payment_id for order in orders],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_PAID, values)
    for order in orders:
        events.publish(OrderMoved(order.pk, order.customer_id, order.status))


def add_note(order: Order, *, actor_id: uuid.UUID, note: str) -> None:
    """Write a note into an order's timeline."""
    insert(_step(order, order.status, actor_id, note))


def forget_buyers(orders: Sequence[Order], *, email: str) -> None:
    """Take out of locked orders who bought them: addresses keep country and region, and what was
    written by hand goes. Their links end."""
    for order in orders:
        order.email, order.customer_note, order.erased_at = email, "", clock.now()
        order.shipping_address = _place_of(order.shipping_address)
        order.billing_address = _place_of(order.billing_address)
        order.save(
            update_fields=[
                "email",
                "customer_note",
                "erased_at",
                "shipping_address",
                "billing_address",
            ]
        )
    lines = OrderLine.objects.filter(order__in=orders, kind=LineKind.GOODS)
    for line in lines:
        line.data = _without_words(line.data)
        line.save(update_fields=["data"])


def _place_of(address: dict[str, str] | None) -> dict[str, str] | None:
    if address is None:
        return None
    return {name: address.get(name, "") for name in ("region", "country")}


def _without_words(data: dict[str, Any]) -> dict[str, Any]:
    """A line's data without what is shown as it was typed, such as an engraving."""
    typed = {value for _, value in data.get("shown", [])}
    typed &= set(data.get("configuration", {}).values())
    return {
        **data,
        "configuration": {
            code: value
            for code, value in data.get("configuration", {}).items()
            if value not in typed
        },
        "shown": [[name, value] for name, value in data.get("shown", []) if value not in typed],
    }


def _placed(
    customer_id: uuid.UUID | None, key: str | None, lines: Sequence[PricedLine]
) -> Order | None:
    if key is None:
        return None
    order = Order.objects.filter(customer_id=customer_id, idempotency_key=key).first()
    if order is None:
        return None
    had = sorted(order.lines.values_list("item", "quantity"))
    if had != sorted((line.item, line.quantity) for line in lines):
        raise IdempotencyMismatch("This key placed an order of something else.")
    return order


def _row(order: Order, line: PricedLine, terms: Terms) -> OrderLine:
    return OrderLine(
        order=order,
        kind=line.kind,
        item=line.item,
        name=line.name,
        quantity=line.quantity,
        unit_amount=line.unit.amount,
        total=line.total.amount,
        discount=line.discount,
        tax=line.tax,
        tax_added=rules.added_tax(line, terms),
        tax_basis_points=line.tax_basis_points,
        data=dict(line.data),
    )


def _steps(
    order: Order,
    steps: Sequence[OrderStatus],
    *,
    actor_id: uuid.UUID | None = None,
    note: str = "",
) -> list[OrderMove]:
    """Take ``order`` through ``steps``; what its timeline says of each. Raises MoveNotAllowed."""
    moves = []
    for to in steps:
        if not rules.can_move(order.status, to):
            was, wanted = (each.replace("_", " ").lower() for each in (order.status, to))
            raise MoveNotAllowed(f"An order that is {was} cannot become {wanted}.")
        origin, order.status = order.status, to
        moves.append(_step(order, origin, actor_id, note))
    return moves


def _step(order: Order, origin: str, actor_id: uuid.UUID | None, note: str) -> OrderMove:
    return OrderMove(
        order=order,
        from_status=origin,
        to_status=order.status,
        actor_id=actor_id,
        note=note[:500],
        at=clock.now(),
    )
