"""Generations in numbers, and across people: for staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Avg, Count, Max, Q, QuerySet
from django.db.models.functions import TruncDate

from markethall.content.imaging.models import Generation, GenerationStatus
from markethall.kernel.pagination import made_between


@dataclass(frozen=True, slots=True)
class ProviderFigures:
    """What a provider made; times in milliseconds, None when it finished nothing."""

    provider: str
    completed: int
    failed: int
    average_ms: float | None
    slowest_ms: int | None


@dataclass(frozen=True, slots=True)
class DayStates:
    """How many generations of one UTC day are in a state."""

    day: date
    status: str
    number: int


def generations(*, status: str = "", provider: str = "") -> QuerySet[Generation]:
    """Everybody's generations that match every given filter; order by ``-id``."""
    found = Generation.objects.select_related("user")
    if status == "open":
        found = found.filter(status__in=[GenerationStatus.PENDING, GenerationStatus.PROCESSING])
    elif status:
        found = found.filter(status=status)
    if provider:
        found = found.filter(provider=provider)
    return found


def generations_since(since: datetime) -> QuerySet[Generation]:
    """Generations asked for since then, by their primary key."""
    return Generation.objects.filter(made_between(since, None), created_at__gte=since)


def states_by_day(since: datetime) -> list[DayStates]:
    """Generations by day and state since then."""
    rows = (
        generations_since(since)
        .annotate(day=TruncDate("created_at"))
        .values("day", "status")
        .annotate(number=Count("pk"))
        .order_by("day", "status")
    )
    return [DayStates(row["day"], row["status"], row["number"]) for row in rows]


def provider_figures(since: datetime) -> list[ProviderFigures]:
    """What each provider made since then, and how long it took."""
    rows = (
        generations_since(since)
        .values("provider")
        .annotate(
            completed=Count("pk", filter=Q(status=GenerationStatus.COMPLETED)),
            failed=Count("pk", filter=Q(status=GenerationStatus.FAILED)),
            average_ms=Avg("processing_ms"),
            slowest_ms=Max("processing_ms"),
        )
        .order_by("provider")
    )
    return [ProviderFigures(**row) for row in rows]
