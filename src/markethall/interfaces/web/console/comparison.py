"""The gateways' money against the books: the last comparison, a new one, what differs."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import comparison as flow
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.accounts.queries import emails_of
from markethall.foundation.reconciliation.models import Comparison, Difference
from markethall.foundation.reconciliation.queries import (
    comparison,
    comparisons,
    last_comparison,
)
from markethall.foundation.reconciliation.rules import EXPLANATIONS, HEALABLE
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import done, granted, show

_RUNS = 10
_MOST_DIFFERENCES = 200


@require_safe
@staff(Permission.PAYMENTS_READ)
def index(request: StaffRequest) -> HttpResponse:
    return show(request, "console/comparison.html", {"title": "Reconcile", **_state(request)})


@require_safe
@staff(Permission.PAYMENTS_READ)
def run(request: StaffRequest, comparison_id: uuid.UUID) -> HttpResponse:
    """An earlier comparison."""
    shown = comparison(comparison_id)
    return show(
        request, "console/comparison.html", {"title": "Reconcile", **_state(request, shown)}
    )


@require_safe
@staff(Permission.PAYMENTS_READ)
def state(request: StaffRequest) -> HttpResponse:
    return _show_state(request)


@require_POST
@staff(Permission.PAYMENTS_READ)
def start(request: StaffRequest) -> HttpResponse:
    flow.request(actor_id=request.user.pk)
    return done(
        request,
        "The gateways are being asked.",
        to="/console/reconcile",
        again=lambda: _show_state(request),
    )


@require_POST
@staff(Permission.PAYMENTS_REFUND)
def heal(request: StaffRequest, difference_id: uuid.UUID) -> HttpResponse:
    mended = flow.heal_difference(difference_id=difference_id, actor_id=request.user.pk)
    return done(
        request,
        mended.outcome,
        level=messages.SUCCESS if mended.healed_at else messages.WARNING,
        to=f"/console/reconcile/{mended.comparison_id}",
        again=lambda: render(
            request,
            "console/difference.html",
            {"row": _shown(mended), "granted": granted(request)},
        ),
    )


def _show_state(request: StaffRequest) -> HttpResponse:
    return render(request, "console/comparison_state.html", _state(request))


def _state(request: StaffRequest, shown: Comparison | None = None) -> dict[str, Any]:
    latest = last_comparison()
    running = latest if latest and flow.is_running(latest) else None
    finished = shown or last_comparison(finished=True)
    differences = finished.differences.order_by("healed_at", "pk") if finished else []
    runs = list(comparisons().exclude(finished_at=None).order_by("-id")[:_RUNS])
    return {
        "finished": finished,
        "is_earlier": shown is not None,
        "running": running,
        "days": finished.days.order_by("-day", "gateway", "currency") if finished else [],
        "differences": [_shown(row) for row in differences[:_MOST_DIFFERENCES]],
        "runs": runs,
        "names": emails_of(row.actor_id for row in runs),
        "granted": granted(request),
    }


def _shown(row: Difference) -> dict[str, Any]:
    return {
        "it": row,
        "label": row.get_reason_display(),
        "explanation": EXPLANATIONS[row.reason],
        "healable": row.reason in HEALABLE and not row.healed_at,
    }
