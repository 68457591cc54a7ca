"""The start page: what needs doing first, how the days went, whether the books are right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from markethall.content.imaging.figures import generations_since, states_by_day
from markethall.content.imaging.models import GenerationStatus
from markethall.flows import books, waiting
from markethall.flows.waiting import Wording, worded
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may
from markethall.foundation.ledger.models import CREDIT
from markethall.foundation.ledger.statements import (
    DayFlow,
    flows_by_day,
    last_check,
    last_finished_check,
)
from markethall.foundation.messaging.models import MailStatus
from markethall.foundation.messaging.queries import mails
from markethall.foundation.payments.models import ChargebackStatus, InboxStatus, RefundStatus
from markethall.foundation.payments.queries import chargebacks, inbox_events, open_refunds, refunds
from markethall.foundation.reconciliation.queries import open_differences
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.charts import Chart, Series, by_day
from markethall.interfaces.web.console.frame import done, granted, show
from markethall.kernel import clock, job_log
from markethall.kernel.money import Money
from markethall.kernel.pagination import Count, count_up_to
from markethall.trade.orders.queries import filtered, orders_for

DAYS = 14
_KEEP_CHARTS = 60  # seconds
_MOST_CURRENCIES = 3


@dataclass(frozen=True, slots=True)
class Task:
    """Something that may need somebody. ``tone`` is ``danger``, ``warning`` or ``info``."""

    text: str
    count: Count
    url: str
    icon: str
    tone: str


# Permission, what one and several are, address, icon, tone, count.
_Look = tuple[Permission, Wording, str, str, str, Callable[[User], Count]]
_LOOKS: tuple[_Look, ...] = (
    (
        Permission.WEBHOOKS_READ,
        waiting.DEAD_EVENTS,
        "/console/inbox?status=dead",
        "inbox",
        "danger",
        lambda user: count_up_to(inbox_events(status=InboxStatus.DEAD)),
    ),
    (
        Permission.WEBHOOKS_READ,
        waiting.PARKED_EVENTS,
        "/console/inbox?status=parked",
        "inbox",
        "warning",
        lambda user: count_up_to(inbox_events(status=InboxStatus.PARKED)),
    ),
    (
        Permission.JOBS_READ,
        waiting.FAILED_JOBS,
        "/console/jobs?state=failed",
        "activity",
        "danger",
        lambda user: count_up_to(job_log.jobs_matching(state="failed")),
    ),
    (
        Permission.JOBS_READ,
        ("job stalled: the worker is gone", "jobs stalled: the worker is gone"),
        "/console/jobs?state=stalled",
        "activity",
        "warning",
        lambda user: Count(len(job_log.stalled_ids())),
    ),
    (
        Permission.JOBS_READ,
        ("failed job waits for the next try", "failed jobs wait for the next try"),
        "/console/jobs?state=retrying",
        "refresh-cw",
        "info",
        lambda user: count_up_to(job_log.jobs_matching(state="retrying")),
    ),
    (
        Permission.MAIL_READ,
        waiting.UNSENT_MAILS,
        "/console/mails?status=failed",
        "mail",
        "danger",
        lambda user: count_up_to(mails(status=MailStatus.FAILED)),
    ),
    (
        Permission.PAYMENTS_READ,
        waiting.DIFFERENCES,
        "/console/reconcile",
        "refresh-cw",
        "warning",
        lambda user: count_up_to(open_differences()),
    ),
    (
        Permission.PAYMENTS_READ,
        waiting.CHARGEBACKS,
        "/console/chargebacks?status=needs_response",
        "credit-card",
        "danger",
        lambda user: count_up_to(chargebacks(status=ChargebackStatus.NEEDS_RESPONSE)),
    ),
    (
        Permission.PAYMENTS_READ,
        waiting.REFUSED_REFUNDS,
        "/console/refunds?status=failed",
        "undo-2",
        "danger",
        lambda user: count_up_to(refunds(status=RefundStatus.FAILED)),
    ),
    (
        Permission.PAYMENTS_READ,
        ("refund waits for the gateway", "refunds wait for the gateway"),
        "/console/refunds?status=requested",
        "undo-2",
        "info",
        lambda user: count_up_to(open_refunds(clock.now())),
    ),
    (
        Permission.ORDERS_READ,
        ("order to pack", "orders to pack"),
        "/console/orders?need=to_pack",
        "package",
        "warning",
        lambda user: count_up_to(filtered(orders_for(user), need="to_pack")),
    ),
    (
        Permission.ORDERS_READ,
        ("order packed and not yet sent", "orders packed and not yet sent"),
        "/console/orders?need=to_ship",
        "truck",
        "warning",
        lambda user: count_up_to(filtered(orders_for(user), need="to_ship")),
    ),
    (
        Permission.IMAGES_READ,
        ("picture failed today", "pictures failed today"),
        "/console/pictures?status=failed",
        "image",
        "warning",
        lambda user: count_up_to(
            generations_since(_midnight()).filter(status=GenerationStatus.FAILED)
        ),
    ),
)


@require_safe
@staff(Permission.CONSOLE)
def index(request: StaffRequest) -> HttpResponse:
    context = {"title": "Today", "tasks": tasks(request.user), **_books(request)}
    return show(request, "console/today.html", context)


@require_safe
@staff(Permission.CONSOLE)
def todo(request: StaffRequest) -> HttpResponse:
    """The list of what needs doing, asked for again when something has happened."""
    return render(request, "console/todo.html", {"tasks": tasks(request.user)})


@require_safe
@staff(Permission.CONSOLE)
def figures(request: StaffRequest) -> HttpResponse:
    """The charts; what they read is kept for a minute."""
    charts: list[Chart] = []
    if may(request.user, Permission.PAYMENTS_READ):
        charts += cache.get_or_set("console:money", _money_charts, _KEEP_CHARTS)
    if may(request.user, Permission.IMAGES_READ):
        charts += cache.get_or_set("console:images", _picture_charts, _KEEP_CHARTS)
    return render(request, "console/charts.html", {"charts": charts, "days": DAYS})


@require_safe
@staff(Permission.PAYMENTS_READ)
def books_state(request: StaffRequest) -> HttpResponse:
    return _show_books(request)


@require_POST
@staff(Permission.PAYMENTS_READ)
def check_books(request: StaffRequest) -> HttpResponse:
    books.request_check(actor_id=request.user.pk)
    return done(
        request, "The books are being checked.", to="/console", again=lambda: _show_books(request)
    )


def tasks(user: User) -> list[Task]:
    """What may need ``user``, the worst first; nothing that is not there."""
    looked = [
        Task(worded(words, found.number), found, url, icon, tone)
        for permission, words, url, icon, tone, count in _LOOKS
        if may(user, permission)
        for found in [count(user)]
    ]
    weight = {"danger": 0, "warning": 1, "info": 2}
    return sorted((task for task in looked if task.count), key=lambda task: weight[task.tone])


def _show_books(request: StaffRequest) -> HttpResponse:
    return render(request, "console/books.html", _books(request))


def _books(request: StaffRequest) -> dict[str, Any]:
    if not may(request.user, Permission.PAYMENTS_READ):
        return {}
    latest, finished = last_check(), last_finished_check()
    running = latest if latest and books.is_running(latest) else None
    return {
        "check": finished,
        "running": running,
        "progress_text": f"{running.done} of {running.total}" if running else "",
        "granted": granted(request),
    }


def _midnight() -> datetime:
    return datetime.combine(clock.now().astimezone(UTC).date(), time(), UTC)


def _days() -> list[date]:
    today = _midnight().date()
    return [today - timedelta(days=ago) for ago in reversed(range(DAYS))]


def _money_charts() -> list[Chart]:
    days = _days()
    since = datetime.combine(days[0], time(), UTC)
    flows = flows_by_day(["payment", "payment_refund", "purchase", "capture"], since=since)
    money = [flow for flow in flows if flow.unit != CREDIT]
    currencies = sorted({flow.unit for flow in money}) or ["USD"]
    charts = [_revenue(days, money, unit) for unit in currencies[:_MOST_CURRENCIES]]
    # Credits leave the issuing account when they are sold, so that side is negative.
    sold = [-value for value in _daily(days, flows, {"purchase"}, CREDIT)]
    spent = _daily(days, flows, {"capture"}, CREDIT)
    charts.append(
        by_day(
            "Are credits spent as fast as they are sold?",
            f"{sum(sold):,} sold and {sum(spent):,} spent in {DAYS} days.",
            days,
            [Series("Sold", "s1", sold), Series("Spent", "s2", spent)],
            lambda value: f"{value:,}",
        )
    )
    return charts


def _revenue(days: Sequence[date], flows: Sequence[DayFlow], unit: str) -> Chart:
    values = _daily(days, flows, {"payment", "payment_refund"}, unit)
    today, total = Money(values[-1], unit), Money(sum(values), unit)
    return by_day(
        f"How much {unit} came in?",
        f"{today} today, {total} in {DAYS} days, refunds taken off.",
        days,
        [Series("Income", "s1", values)],
        lambda value: str(Money(value, unit)),
    )


def _picture_charts() -> list[Chart]:
    days = _days()
    rows = states_by_day(datetime.combine(days[0], time(), UTC))
    wanted = {
        "Made": {GenerationStatus.COMPLETED},
        "Open": {GenerationStatus.PENDING, GenerationStatus.PROCESSING},
        "Failed": {GenerationStatus.FAILED},
    }
    series = [
        Series(
            label,
            tone,
            [sum(r.number for r in rows if r.day == day and r.status in states) for day in days],
        )
        for (label, states), tone in zip(wanted.items(), ("s1", "s2", "bad"), strict=True)
    ]
    made, failed = sum(series[0].values), sum(series[2].values)
    ended = made + failed
    share = f"{100 * failed / ended:.1f} % of {ended:,} failed" if ended else "None was asked for"
    return [
        by_day(
            "Do pictures succeed?",
            f"{share} in {DAYS} days.",
            days,
            series,
            lambda value: f"{value:,}",
            stacked=True,
        )
    ]


def _daily(days: Sequence[date], flows: Sequence[DayFlow], kinds: set[str], unit: str) -> list[int]:
    sums = dict.fromkeys(days, 0)
    for flow in flows:
        if flow.kind in kinds and flow.unit == unit and flow.day in sums:
            sums[flow.day] += flow.amount
    return list(sums.values())
