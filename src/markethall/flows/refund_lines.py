"""Which pieces of an order a refund gives back, and what of its money is theirs.

Whatever is set aside is recorded with the refund, under the locks of order and payment, so that
refunds at once never give back more pieces than were bought. Pieces that are given back are taken
out of parcels that have not left.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markethall.foundation.payments.errors import RefundTooLarge
from markethall.foundation.payments.models import Refund
from markethall.kernel.errors import FieldError, Invalid
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders.models import Order, OrderLine, RefundLine
from markethall.trade.orders.pieces import Pieces, pieces_of, standing
from markethall.trade.orders.shares import paid_for, paid_for_shipping, share_of
from markethall.trade.shipping.parcels import take_out


@dataclass(frozen=True, slots=True)
class RefundedLine:
    """So many pieces of one line; with ``restock`` they go back to stock."""

    line_id: uuid.UUID
    quantity: int
    restock: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What a refund gives back of a line, or of the shipping (None), in minor units."""

    line: OrderLine | None
    quantity: int
    restock: int
    amount: int


def parts_of(
    order: Order, wanted: Sequence[RefundedLine], *, shipping: bool, left: int
) -> list[Part]:
    """What giving back ``wanted`` lines, and what is left of the shipping, comes to: their exact
    shares of what was paid, and ``left`` minor units at most together.

    Raises Invalid, with a field error for every line that is not the order's, named twice, or of
    which there are not so many pieces left.
    """
    lines = {line.pk: line for line in order.lines.order_by("pk")}
    pieces = pieces_of(lines.values())
    faults, parts, seen = [], [], set()
    for place, each in enumerate(wanted):
        path = f"lines.{place}.quantity"
        if each.line_id not in lines or each.line_id in seen:
            faults.append(FieldError(f"lines.{place}.lineId", "Name each line of the order once."))
            continue
        seen.add(each.line_id)
        there = pieces[each.line_id]
        if not 1 <= each.quantity <= there.kept:
            faults.append(FieldError(path, f"{there.kept} of {there.bought} can be given back."))
            continue
        parts.append(_part(lines[each.line_id], there, each.quantity, each.restock))
    if faults:
        raise Invalid(errors=faults)
    if shipping and (amount := _shipping_left(order, list(lines.values()))):
        parts.append(Part(None, 0, 0, amount))
    return _within(parts, left)


def rest_of(order: Order, *, amount: int) -> list[Part]:
    """Everything that has not been given back, for ``amount`` minor units together. What has not
    left goes back to stock."""
    lines = list(order.lines.order_by("pk"))
    pieces = pieces_of(lines)
    parts = [
        replace(
            _part(line, pieces[line.pk], pieces[line.pk].kept, False),
            restock=pieces[line.pk].unsent if line.kind == LineKind.GOODS else 0,
        )
        for line in lines
        if pieces[line.pk].kept
    ]
    if left := _shipping_left(order, lines):
        parts.append(Part(None, 0, 0, left))
    return _within(parts, amount)


def set_aside(order: Order, refund: Refund, parts: Sequence[Part]) -> None:
    """Record what a refund gives back, and take it out of parcels that have not left."""
    pieces = pieces_of([part.line for part in parts if part.line])
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=refund,
            line=part.line,
            quantity=part.quantity,
            restock=part.restock,
            amount=part.amount,
        )
        for part in parts
    )
    for part in parts:
        if part.line:
            _unpack(order, part.line.pk, pieces[part.line.pk], part.quantity)


def set_aside_again(order: Order, refund: Refund) -> None:
    """A refund that failed is tried again. Raises RefundTooLarge when others have given back its
    pieces since."""
    rows = RefundLine.objects.filter(refund=refund, line__isnull=False).select_related("line")
    wanted = [(row.line, row.quantity) for row in rows if row.line]
    pieces = pieces_of([line for line, _ in wanted])
    for line, quantity in wanted:
        if quantity > pieces[line.pk].kept:
            raise RefundTooLarge("Other refunds have given back these pieces.")
        _unpack(order, line.pk, pieces[line.pk], quantity)


def is_same(refund: Refund, wanted: Sequence[RefundedLine], *, shipping: bool) -> bool:
    """Whether a refund that was asked for gives back these lines."""
    rows = list(RefundLine.objects.filter(refund=refund))
    had = {row.line_id: row.quantity for row in rows if row.line_id}
    has_shipping = any(row.line_id is None for row in rows)
    asked = {each.line_id: each.quantity for each in wanted}
    return had == asked and shipping == has_shipping


def _part(line: OrderLine, there: Pieces, quantity: int, restock: bool) -> Part:
    amount = share_of(
        paid_for(line),
        line.quantity,
        pieces=quantity,
        gone=there.refunded,
        gone_amount=there.refunded_amount,
    )
    counted = line.kind == LineKind.GOODS and restock
    return Part(line, quantity, quantity if counted else 0, amount)


def _shipping_left(order: Order, lines: Sequence[OrderLine]) -> int:
    back = RefundLine.objects.filter(
        standing(), refund__payment=order.payment_id, line__isnull=True
    )
    return paid_for_shipping(order, lines) - sum(back.values_list("amount", flat=True))


def _within(parts: Sequence[Part], left: int) -> list[Part]:
    """``parts`` with no more money together than is left: money given back for no piece comes off
    the last ones."""
    given = []
    for part in parts:
        amount = min(part.amount, left)
        left -= amount
        if part.line or amount:
            given.append(replace(part, amount=amount))
    return given


def _unpack(order: Order, line_id: uuid.UUID, before: Pieces, quantity: int) -> None:
    packed = min(before.packed, max(0, quantity - before.to_pack))
    if packed:
        take_out(order.pk, line_id, packed)
