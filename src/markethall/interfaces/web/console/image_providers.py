"""Image providers: how often they succeed, how long they take, what they cost, what went wrong."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from markethall.content.imaging.models import CallOutcome
from markethall.content.imaging.provider_figures import (
    FAULTS,
    call_figures,
    costs_by_day,
    outcomes_by_day,
    provider_calls,
)
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.charts import Chart, Series, by_day
from markethall.interfaces.web.console.frame import ROWS, Filters, choices, cursor_of, show_list
from markethall.interfaces.web.templatetags.console import micros
from markethall.kernel import clock
from markethall.kernel.pagination import paginate

DAYS = 14
_KEEP_FIGURES = 60  # seconds
_MAKERS = ("local", "gemini", "openai", "replicate", "stability")
_COLUMNS = [
    {"label": "Provider"},
    {"label": "Model"},
    {"label": "Outcome"},
    {"label": "What it said"},
    {"label": "Took", "num": True},
    {"label": "Cost", "num": True},
    {"label": "Asked", "num": True},
]


class CallFilters(Filters):
    provider = forms.ChoiceField(choices=choices(_MAKERS, "Any provider"))
    outcome = forms.ChoiceField(choices=choices(["faults", *CallOutcome.values], "Any outcome"))


@require_safe
@staff(Permission.IMAGES_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = CallFilters(request.GET)
    found = provider_calls(**filters.chosen())
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Image providers",
        "columns": _COLUMNS,
        "empty_title": "No provider has been asked yet",
        "empty_text": "Each call stands here with how long it took, what it cost and what failed.",
        "empty_icon": "image",
    }
    return show_list(request, "console/image_providers.html", page, context, filters=filters)


@require_safe
@staff(Permission.IMAGES_READ)
def figures(request: StaffRequest) -> HttpResponse:
    """By provider and by day; kept for a minute."""
    found = cache.get_or_set("console:image-providers", _figures, _KEEP_FIGURES)
    return render(request, "console/image_provider_figures.html", {**found, "days": DAYS})


def _figures() -> dict[str, object]:
    today = clock.now().astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    since = datetime.combine(first, time(), UTC)
    return {"providers": call_figures(since), "charts": [_ends(since), _costs(since)]}


def _ends(since: datetime) -> Chart:
    days = [since.date() + timedelta(days=day) for day in range(DAYS)]
    rows = outcomes_by_day(since)
    kinds = (
        ("Made", "s1", (CallOutcome.MADE,)),
        ("Refused", "s2", (CallOutcome.REFUSED,)),
        ("Failed", "bad", FAULTS),
    )
    series = [
        Series(
            label,
            tone,
            [sum(n for at, end, n in rows if at == day and end in ends) for day in days],
        )
        for label, tone, ends in kinds
    ]
    made, failed = sum(series[0].values), sum(series[2].values)
    return by_day(
        "Do providers answer?",
        f"{made:,} made a picture and {failed:,} failed in {DAYS} days.",
        days,
        series,
        lambda value: f"{value:,}",
        stacked=True,
    )


def _costs(since: datetime) -> Chart:
    days = [since.date() + timedelta(days=day) for day in range(DAYS)]
    spent = costs_by_day(since)
    sums = [sum(one.micros for one in spent if one.day == day) for day in days]
    return by_day(
        "What do pictures cost us?",
        f"{micros(sums[-1])} today, {micros(sum(sums))} in {DAYS} days, at known prices.",
        days,
        [Series("Cost", "s1", sums)],
        micros,
    )
