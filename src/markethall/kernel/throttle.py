"""Rate limits that hold across processes: one atomic statement a try, in the database.

Counters survive a rollback only if the caller counts outside its transaction, so count first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from markethall.kernel.errors import TooManyRequests
from markethall.kernel.models import Tries

_Values = Mapping[str, str | int | datetime]

_COUNT = """
INSERT INTO kernel_tries AS t (bucket, count, resets_at) {row}
    ON CONFLICT (bucket) DO UPDATE
   SET count = CASE WHEN t.resets_at <= %(now)s THEN 1 ELSE t.count + 1 END,
       resets_at = CASE WHEN t.resets_at <= %(now)s THEN excluded.resets_at ELSE t.resets_at END
RETURNING count, resets_at
"""
_COUNT_ONE = _COUNT.format(row="VALUES (%(bucket)s, 1, %(resets_at)s)")
_COUNT_BOTH = f"""
WITH wide AS ({_COUNT.format(row="VALUES (%(wide)s, 1, %(wide_resets_at)s)")}),
   narrow AS ({
    _COUNT.format(row="SELECT %(bucket)s, 1, %(resets_at)s FROM wide WHERE wide.count <= %(most)s")
})
SELECT * FROM wide UNION ALL SELECT * FROM narrow
"""  # noqa: S608, no value of anybody's


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
    values: _Values = {"bucket": bucket, "now": now, "resets_at": now + limit.per}
    _check(_counted(_COUNT_ONE, values), [limit], now)


def count_both(wide: tuple[str, Limit], narrow: tuple[str, Limit]) -> None:
    """Count one try in two buckets, by one statement: in the second only where the first has room.
    Raises as ``count_try`` does."""
    now = timezone.now()
    values: _Values = {
        "wide": wide[0],
        "wide_resets_at": now + wide[1].per,
        "most": wide[1].count,
        "bucket": narrow[0],
        "resets_at": now + narrow[1].per,
        "now": now,
    }
    _check(_counted(_COUNT_BOTH, values), [wide[1], narrow[1]], now)


def uncount_try(bucket: str) -> None:
    """Take one counted try of ``bucket`` back: it turned out not to be one that counts."""
    Tries.objects.filter(bucket=bucket, count__gt=0).update(count=F("count") - 1)


def forget(bucket: str) -> None:
    """Forget the tries of ``bucket``, as after a success."""
    Tries.objects.filter(bucket=bucket).delete()


def forget_lapsed() -> int:
    """Delete counters whose window is over; returns how many."""
    return Tries.objects.filter(resets_at__lt=timezone.now()).delete()[0]


def _counted(statement: str, values: _Values) -> list[tuple[int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [(count, resets_at) for count, resets_at in cursor.fetchall()]


def _check(counted: Sequence[tuple[int, datetime]], limits: Sequence[Limit], now: datetime) -> None:
    for (count, resets_at), limit in zip(counted, limits, strict=False):
        if count > limit.count:
            raise TooManyRequests(max(1, math.ceil((resets_at - now).total_seconds())))
