"""Rows that are kept for a time only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

_AT_ONCE = 1000


def delete_oldest(rows: models.QuerySet[Any], *, field: str, before: datetime) -> int:
    """Delete those of ``rows`` whose ``field`` lies before; returns how many.

    Ids rise with time, so the oldest rows come first and only they are looked at. Each thousand
    is a transaction of its own.
    """
    deleted = 0
    while True:
        oldest = list(rows.order_by("pk").values_list("pk", field)[:_AT_ONCE])
        over = [key for key, at in oldest if at < before]
        if over:
            rows.filter(pk__in=over).delete()
            deleted += len(over)
        if len(over) < _AT_ONCE:
            return deleted


def delete_before(rows: models.QuerySet[Any], *, field: str, before: datetime) -> int:
    """Delete those of ``rows`` whose ``field``, which an index serves, lies before; returns how
    many. Each thousand is a transaction of its own."""
    deleted = 0
    while True:
        over = rows.filter(**{f"{field}__lt": before}).order_by(field)
        keys = list(over.values_list("pk", flat=True)[:_AT_ONCE])
        rows.filter(pk__in=keys, **{f"{field}__lt": before}).delete()
        deleted += len(keys)
        if len(keys) < _AT_ONCE:
            return deleted
