"""Keyset pagination: a page starts after the last row of the one before, however many there are."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from markethall.kernel import clock
from markethall.kernel.errors import Invalid
from markethall.kernel.ids import floor_id

RowT = TypeVar("RowT", bound=models.Model)
MAX_LIMIT = 100
# No id was made before, or will be after.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_FOREIGN_CURSOR = Invalid.field("cursor", "This cursor is not one that Markethall gave out.")


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """Rows, and the cursor that asks for the following ones; None at the end."""

    items: list[RowT]
    next_cursor: str | None


def paginate(
    queryset: models.QuerySet[RowT], *, order: Sequence[str], limit: int = 20, cursor: str | None
) -> Page[RowT]:
    """One page of ``queryset``.

    ``order`` names columns that together are unique, ``-`` for descending, as ``order_by``
    takes them. Raises Invalid for a cursor that is not ours or a limit outside 1 to 100.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid.field("limit", f"A page has 1 to {MAX_LIMIT} items.")
    if cursor:
        try:
            queryset = queryset.filter(_after(order, decode(cursor, len(order))))
        except (ValidationError, ValueError, TypeError) as error:
            raise _FOREIGN_CURSOR from error
    rows = list(queryset.order_by(*order)[: limit + 1])
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], encode([getattr(last, name.lstrip("-")) for name in order]))


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; ``is_bound`` when there are more than were counted."""

    number: int
    is_bound: bool = False

    def __str__(self) -> str:
        return f"{self.number}+" if self.is_bound else str(self.number)

    def __bool__(self) -> bool:
        return self.number > 0


def count_up_to(queryset: models.QuerySet[Any], most: int = 999) -> Count:
    """Count rows, but not beyond ``most``: what an index serves stays quick in any table."""
    found = queryset.order_by()[: most + 1].count()
    return Count(min(found, most), found > most)


def made_between(since: datetime | None, until: datetime | None) -> Q:
    """Rows made from ``since`` up to before ``until``, by their UUIDv7 primary key.

    Their own time column must still be compared: where the sandbox clock has been turned, ids
    run behind it, so this is a bound and not the answer.
    """
    bounds = Q()
    if since and since - _FIRST > clock.offset():
        bounds &= Q(pk__gte=floor_id(since - clock.offset()))
    if until and until < _LAST:
        bounds &= Q(pk__lt=floor_id(until + timedelta(milliseconds=1)))
    return bounds


def encode(values: Sequence[Any]) -> str:
    """Make an opaque cursor of the last row's values."""
    text = json.dumps(
        [v.isoformat() if isinstance(v, datetime) else v for v in values], default=str
    )
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, length: int) -> list[Any]:
    """The values of a cursor; raises Invalid for one that is not ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        values = None
    if (
        not isinstance(values, list)
        or len(values) != length
        or not all(isinstance(v, str | int | bool) for v in values)
    ):
        raise _FOREIGN_CURSOR
    return values


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after ``values``: (a > x) or (a = x and (b > y)) …. That the first column is
    not before its value says nothing more, but is what an index can begin at."""
    condition = Q()
    for name, value in reversed(list(zip(order, values, strict=True))):
        field = name.lstrip("-")
        beyond = Q(**{f"{field}__lt" if name.startswith("-") else f"{field}__gt": value})
        condition = beyond | (Q(**{field: value}) & condition) if condition else beyond
    if len(order) < 2:
        return condition
    first = order[0].lstrip("-")
    bound = f"{first}__lte" if order[0].startswith("-") else f"{first}__gte"
    return Q(**{bound: values[0]}) & condition
