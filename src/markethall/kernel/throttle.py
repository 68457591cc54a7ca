"""Rate limits that hold across processes: one atomic statement a try, in the database.

Counters survive a rollback only if the caller counts outside its transaction, so count first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from markethall.kernel.errors import TooManyRequests
from markethall.kernel.models import Tries


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` tries in ``per``."""

    count: int
    per: timedelta


def count_try(bucket: str, limit: Limit) -> None:
    """Count one try in ``bucket``; raises TooManyRequests with Retry-After beyond the limit.

    Real time, not the sandbox clock: turning the clock is no way around a limit.
    """
    now = timezone.now()
    count, resets_at = _increment(bucket, now, now + limit.per)
    if count > limit.count:
        raise TooManyRequests(max(1, math.ceil((resets_at - now).total_seconds())))


def uncount_try(bucket: str) -> None:
    """Take one counted try of ``bucket`` back: it turned out not to be one that counts."""
    Tries.objects.filter(bucket=bucket, count__gt=0).update(count=F("count") - 1)


def forget(bucket: str) -> None:
    """Forget the tries of ``bucket``, as after a success."""
    Tries.objects.filter(bucket=bucket).delete()


def forget_lapsed() -> int:
    """Delete counters whose window is over; returns how many."""
    return Tries.objects.filter(resets_at__lt=timezone.now()).delete()[0]


def _increment(bucket: str, now: datetime, resets_at: datetime) -> tuple[int, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_tries AS t (bucket, count, resets_at) VALUES (%s, 1, %s)"
            " ON CONFLICT (bucket) DO UPDATE SET"
            " count = CASE WHEN t.resets_at <= %s THEN 1 ELSE t.count + 1 END,"
            " resets_at = CASE WHEN t.resets_at <= %s THEN excluded.resets_at ELSE t.resets_at END"
            " RETURNING count, resets_at",
            [bucket, resets_at, now, now],
        )
        row = cursor.fetchone()
    return row[0], row[1]
