"""What providers are worth: how often they succeed, how long they take, what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from markethall.content.imaging.models import CallOutcome, ProviderCall

FAULTS = (
    CallOutcome.UNAVAILABLE,
    CallOutcome.UNUSABLE,
    CallOutcome.REJECTED,
    CallOutcome.EXHAUSTED,
    CallOutcome.MISCONFIGURED,
    CallOutcome.LOST,
)
_BY_PROVIDER = """
SELECT provider, model, count(*), count(*) FILTER (WHERE outcome = 'made'),
       count(*) FILTER (WHERE outcome = 'refused'), count(*) FILTER (WHERE outcome = ANY(%s)),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE outcome = 'made'),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) FILTER (WHERE outcome = 'made'),
       coalesce(sum(cost_micros), 0)::bigint,
       count(*) FILTER (WHERE ended_at IS NOT NULL AND cost_micros IS NULL AND outcome <> 'lost')
  FROM imaging_providercall WHERE started_at >= %s GROUP BY provider, model ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class CallFigures:
    """The calls of one model; times in milliseconds of those that made a picture, cost in
    micro-USD without the ``unpriced`` ones."""

    provider: str
    model: str
    calls: int
    made: int
    refused: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    cost_micros: int
    unpriced: int

    @property
    def success(self) -> float | None:
        """The share that made a picture of those that were not refused, 0 to 1."""
        ended = self.made + self.failed
        return self.made / ended if ended else None


@dataclass(frozen=True, slots=True)
class DayCost:
    """What a provider cost on a UTC day, in micro-USD."""

    day: date
    provider: str
    micros: int


def call_figures(since: datetime) -> list[CallFigures]:
    """Each provider's models since then."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_PROVIDER, [[str(fault) for fault in FAULTS], since])
        return [CallFigures(*row) for row in cursor.fetchall()]


def costs_by_day(since: datetime) -> list[DayCost]:
    """What was spent by day and provider since then."""
    rows = (
        ProviderCall.objects.filter(started_at__gte=since, cost_micros__gt=0)
        .annotate(day=TruncDate("started_at"))
        .values("day", "provider")
        .annotate(micros=Sum("cost_micros"))
        .order_by("day", "provider")
    )
    return [DayCost(row["day"], row["provider"], row["micros"]) for row in rows]


def outcomes_by_day(since: datetime) -> list[tuple[date, str, int]]:
    """How many calls of a UTC day ended how since then."""
    rows = (
        ProviderCall.objects.filter(started_at__gte=since)
        .annotate(day=TruncDate("started_at"))
        .values_list("day", "outcome")
        .annotate(number=Count("pk"))
        .order_by("day", "outcome")
    )
    return list(rows)


def provider_calls(*, provider: str = "", outcome: str = "") -> QuerySet[ProviderCall]:
    """Calls that match every given filter, ``faults`` for all that failed; order by ``-id``."""
    wanted: dict[str, Any] = {}
    if provider:
        wanted["provider"] = provider
    if outcome == "faults":
        wanted["outcome__in"] = FAULTS
    elif outcome:
        wanted["outcome"] = outcome
    return ProviderCall.objects.filter(**wanted)
