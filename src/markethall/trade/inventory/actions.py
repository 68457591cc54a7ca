"""Writes to stock. Each is its own transaction, or part of the caller's."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from markethall.foundation.audit.actions import record
from markethall.kernel import clock, live
from markethall.kernel.errors import FieldError, Invalid
from markethall.kernel.ids import new_id
from markethall.kernel.locking import lock_one
from markethall.trade.catalog.models import Variant
from markethall.trade.inventory import rules, statements
from markethall.trade.inventory.errors import (
    OutOfStock,
    StockItemMissing,
    StockListInvalid,
    StockReserved,
)
from markethall.trade.inventory.models import (
    ReservationState,
    StockItem,
    StockReason,
)
from markethall.trade.inventory.rules import MAX_LEVEL, Level

_LAPSED_AT_ONCE = 200
TOPIC = "stock"


def reserve(*, reference: uuid.UUID, wanted: Mapping[uuid.UUID, int], expires_at: datetime) -> None:
    """Keep pieces of variants for the order that ``reference`` names: all of them or none.

    A second call of the same reference replaces the first; whoever calls holds the lock of what it
    names. What has lapsed of others is let go where it is needed. Raises OutOfStock.
    """
    wanted = _some(wanted)
    if not wanted:
        return
    values = {
        "reference": reference,
        "ids": [new_id() for _ in wanted],
        "items": list(wanted),
        "pieces": list(wanted.values()),
        "expires_at": expires_at,
        "now": clock.now(),
    }
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(statements.RESERVE, values)
        if cursor.rowcount == len(wanted):
            return
    with transaction.atomic():
        levels = _lock(wanted, [reference])
        _free(levels, references=[reference])
        if short := rules.lacking(levels, wanted):
            raise OutOfStock(short)
        _run(statements.RESERVE_AGAIN, values)


def commit(wanted: Mapping[uuid.UUID, Mapping[uuid.UUID, int]]) -> set[uuid.UUID]:
    """Take the pieces of paid orders (reference → variant → pieces) off their levels: from what
    each had reserved or, where that lapsed, from what is available.

    Returns the references that could not be had in full; nothing of theirs is touched. One that
    was committed before is left as it is. The caller holds the locks of what they name.
    """
    orders = {reference: _some(pieces) for reference, pieces in wanted.items()}
    with transaction.atomic(savepoint=False):
        levels = _lock({item for pieces in orders.values() for item in pieces}, list(orders))
        held = _forget_committed(orders)
        sold, short = _sell(levels, orders, held)
        if short and _free(levels, keep=list(orders)):
            more, short = _sell(levels, {key: orders[key] for key in short}, held)
            sold += more
        if sold:
            columns = list(zip(*sold, strict=True))
            names = ("ids", "references", "items", "pieces", "held", "counted", "levels")
            values = {name: list(column) for name, column in zip(names, columns, strict=True)}
            _run(statements.SELL, {**values, "now": clock.now()})
            _tell()
    return set(short)


def release(references: Iterable[uuid.UUID]) -> None:
    """Let go what these references hold. Can run twice."""
    references = list(references)
    with transaction.atomic(savepoint=False):
        levels = _lock((), references)
        if levels:
            _free(levels, references=references)


def lock_items(items: Iterable[uuid.UUID], *, references: Sequence[uuid.UUID]) -> None:
    """Lock these variants' stock and what the references hold, for a caller who lets go the one
    and reserves the other in the same transaction."""
    _lock(items, references)


def lapse() -> int:
    """Let go what has lapsed; returns of how many variants. Can run any number of times."""
    count = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statements.LAPSED, {"now": clock.now(), "most": _LAPSED_AT_ONCE})
            items = [item for (item,) in cursor.fetchall()]
            if items:
                _free(_lock(items, []))
        count += len(items)
        if len(items) < _LAPSED_AT_ONCE:
            return count


def give_back(
    *,
    reference: uuid.UUID,
    wanted: Mapping[uuid.UUID, int],
    reason: StockReason = StockReason.RETURNED,
    actor_id: uuid.UUID | None,
) -> None:
    """Put pieces that an order had back into stock; what is not counted stays so."""
    wanted = _some(wanted)
    with transaction.atomic(savepoint=False):
        levels = _lock(wanted, [])
        counted = {key: levels[key] for key in wanted if key in levels and levels[key].is_counted}
        changes = {key: level.on_hand + wanted[key] for key, level in counted.items()}
        _change(levels, changes, reason, reference=reference, actor_id=actor_id)


def adjust(
    *,
    variant_id: uuid.UUID,
    level: int | None = None,
    change: int | None = None,
    reason: StockReason,
    note: str = "",
    actor_id: uuid.UUID,
) -> StockItem:
    """Set a level, or change it by so many pieces, with a reason.

    Raises StockItemMissing, StockReserved when open checkouts hold more than would be left, and
    Invalid unless one of ``level`` and ``change`` is given, and for a level outside 0 to
    ``MAX_LEVEL``.
    """
    if (level is None) == (change is None):
        raise Invalid.field("level", "Give either a level or a change.")
    with transaction.atomic():
        levels = _lock([variant_id], [])
        if variant_id not in levels:
            raise StockItemMissing
        was = levels[variant_id].on_hand
        to = was + (change or 0) if level is None else level
        if not 0 <= to <= MAX_LEVEL:
            raise Invalid.field("level", rules.why_not(was, to))
        _free(levels)
        _check_reserved(levels[variant_id], to)
        record(
            "stock.adjust",
            actor_id=actor_id,
            subject_type="variant",
            subject_id=variant_id,
            was=was,
            level=to,
            reason=reason,
            note=note,
        )
        _change(levels, {variant_id: to}, reason, note=note, actor_id=actor_id)
        return StockItem.objects.select_related("variant__product").get(pk=variant_id)


def receive_list(*, text: str, note: str = "", actor_id: uuid.UUID) -> int:
    """Add what a pasted list or CSV of SKU and pieces says was received; returns how many variants.

    All lines or none: raises StockListInvalid with a field error for each that is wrong.
    """
    received, faults = rules.read_list(text)
    with transaction.atomic():
        variants = dict(Variant.objects.filter(sku__in=received).values_list("sku", "pk"))
        faults += [
            FieldError("list", f"There is no variant with the SKU {sku[:64]!r}.")
            for sku in received
            if sku not in variants
        ]
        if faults or not received:
            raise StockListInvalid(errors=faults or [FieldError("list", "The list is empty.")])
        ensure_items(variants.values())
        levels = _lock(variants.values(), [])
        pieces = {variants[sku]: count for sku, count in received.items()}
        changes = {key: levels[key].on_hand + count for key, count in pieces.items()}
        if any(to > MAX_LEVEL for to in changes.values()):
            raise StockListInvalid(rules.TOO_MANY)
        record(
            "stock.receive", actor_id=actor_id, variants=len(pieces), pieces=sum(pieces.values())
        )
        _change(levels, changes, StockReason.RECEIVED, note=note, actor_id=actor_id)
    return len(pieces)


def change_item(
    *,
    variant_id: uuid.UUID,
    is_counted: bool | None = None,
    low_at: int | None = None,
    actor_id: uuid.UUID,
) -> StockItem:
    """Say whether a variant is counted, and at how many pieces it is low.

    Raises StockItemMissing, and StockReserved when more is reserved than a level that is to be
    counted has.
    """
    with transaction.atomic():
        ensure_item(variant_id)
        item = lock_one(StockItem.objects.filter(pk=variant_id))
        if is_counted and not item.is_counted and item.on_hand < item.reserved:
            _check_reserved(Level(item.pk, True, item.on_hand, item.reserved), item.on_hand)
        item.is_counted = item.is_counted if is_counted is None else is_counted
        item.low_at = item.low_at if low_at is None else low_at
        is_low = item.is_counted and item.low_at > 0 and item.available <= item.low_at
        item.low_since = (item.low_since or clock.now()) if is_low else None
        item.save(update_fields=["is_counted", "low_at", "low_since"])
        record(
            "stock.change",
            actor_id=actor_id,
            subject_type="variant",
            subject_id=variant_id,
            is_counted=item.is_counted,
            low_at=item.low_at,
        )
        _tell()
    return item


def ensure_item(variant_id: uuid.UUID) -> None:
    """There is a stock item for a variant: counted, with nothing on hand, unless there was one.
    Raises StockItemMissing when there is no such variant."""
    ensure_items([variant_id])
    if not StockItem.objects.filter(pk=variant_id).exists():
        raise StockItemMissing


def ensure_items(variant_ids: Iterable[uuid.UUID]) -> None:
    """As ``ensure_item`` for many, by one statement; ids of no variant are passed over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_stockitem"
            " (variant_id, is_counted, on_hand, reserved, low_at, updated_at)"
            " SELECT id, true, 0, 0, 0, %s FROM catalog_variant WHERE id = ANY(%s)"
            " ORDER BY id ON CONFLICT (variant_id) DO NOTHING",
            [clock.now(), list(variant_ids)],
        )


def _some(wanted: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, int]:
    if any(pieces < 0 for pieces in wanted.values()):
        raise ValueError("Pieces are counted from zero.")
    return {key: pieces for key, pieces in sorted(wanted.items()) if pieces}


def _lock(items: Iterable[uuid.UUID], references: Sequence[uuid.UUID]) -> dict[uuid.UUID, Level]:
    """Lock items, and those of which ``references`` hold something, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(statements.LOCK, {"items": list(items), "references": list(references)})
        return {row[0]: Level(*row) for row in cursor.fetchall()}


def _free(
    levels: Mapping[uuid.UUID, Level],
    *,
    references: Sequence[uuid.UUID] = (),
    keep: Sequence[uuid.UUID] = (),
) -> bool:
    """Let go, of locked items, what ``references`` hold and what has lapsed, but for ``keep``;
    whether that was anything."""
    values = {
        "items": list(levels),
        "references": list(references),
        "keep": list(keep),
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statements.FREE, values)
        freed = cursor.fetchall()
    for item, pieces in freed:
        levels[item].reserved -= pieces
    return bool(freed)


_Sold = tuple[uuid.UUID, uuid.UUID, uuid.UUID, int, int, bool, int]
_Orders = Mapping[uuid.UUID, Mapping[uuid.UUID, int]]


def _forget_committed(orders: dict[uuid.UUID, dict[uuid.UUID, int]]) -> dict[Any, int]:
    """Take out of ``orders`` what was committed before; what the others hold, by reference and
    variant."""
    with connection.cursor() as cursor:
        cursor.execute(statements.RESERVED, {"references": list(orders)})
        rows = cursor.fetchall()
    for reference, _, _, state in rows:
        if state == ReservationState.COMMITTED:
            orders.pop(reference, None)
    return {
        (reference, item): pieces
        for reference, item, pieces, state in rows
        if state == ReservationState.HELD
    }


def _sell(
    levels: Mapping[uuid.UUID, Level], orders: _Orders, held: Mapping[Any, int]
) -> tuple[list[_Sold], list[uuid.UUID]]:
    """Who gets everything, each piece with the level that is left; and who does not."""
    sold: list[_Sold] = []
    short = []
    for reference, pieces in orders.items():
        had = {item: held.get((reference, item), 0) for item in pieces}
        if all(i in levels and levels[i].has(count, had[i]) for i, count in pieces.items()):
            for item, count in pieces.items():
                level = levels[item]
                level.sell(count, had[item])
                now = (count, had[item], level.is_counted, level.on_hand)
                sold.append((new_id(), reference, item, *now))
        else:
            short.append(reference)
    return sold, short


def _change(
    levels: Mapping[uuid.UUID, Level],
    to: Mapping[uuid.UUID, int],
    reason: StockReason,
    *,
    note: str = "",
    reference: uuid.UUID | None = None,
    actor_id: uuid.UUID | None,
) -> None:
    if not to:
        return
    values = {
        "ids": [new_id() for _ in to],
        "items": list(to),
        "changes": [level - levels[item].on_hand for item, level in to.items()],
        "levels": list(to.values()),
        "reason": reason,
        "note": note[:500],
        "reference": reference,
        "actor_id": actor_id,
        "now": clock.now(),
    }
    _run(statements.CHANGE, values)
    _tell()


def _check_reserved(level: Level, to: int) -> None:
    if level.is_counted and to < level.reserved:
        raise StockReserved(
            f"{level.reserved} are reserved for checkouts that are open. They lapse by themselves."
        )


def _run(statement: str, values: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _tell() -> None:
    """The console's open pages."""
    live.notify(TOPIC, kind="changed", user_id=None)
