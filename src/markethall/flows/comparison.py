"""Reconciling: heal what each gateway in use knows better, then compare its money with the
ledger, and keep what differs for people to see."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from markethall.flows import healing, reconciliation
from markethall.flows.healing import Tally, Tell
from markethall.foundation.audit.actions import record
from markethall.foundation.payments.errors import (
    GatewayRefused,
    GatewayUnavailable,
    PaymentMissing,
    UnknownGateway,
)
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import Movement
from markethall.foundation.payments.inbox import NotYet
from markethall.foundation.reconciliation.actions import (
    mark_heard,
    mark_outcome,
    open_comparison,
    store_report,
)
from markethall.foundation.reconciliation.errors import NothingToHeal
from markethall.foundation.reconciliation.models import Comparison, Difference, Heard, Reason
from markethall.foundation.reconciliation.queries import (
    booked,
    difference,
    known_payments,
    last_comparison,
)
from markethall.foundation.reconciliation.rules import HEALABLE, Report, compare, pair
from markethall.kernel import clock, jobs, live
from markethall.kernel.errors import Invalid

TOPIC = "comparison"
DEFAULT_SPAN = timedelta(days=7)
MAX_SPAN = timedelta(days=400)
# A gateway's clock and ours are not the same, and a settlement takes its time.
_MARGIN = timedelta(hours=1)
_FIRST_LOOK = timedelta(days=3)
_ABANDONED_AFTER = timedelta(hours=2)

log = structlog.get_logger(__name__)


def request(
    *, actor_id: uuid.UUID | None, since: datetime | None = None, until: datetime | None = None
) -> Comparison:
    """Have the gateways compared with the books by a job, unless that is under way already.

    Raises Invalid for a span that ends before it begins, or is longer than ``MAX_SPAN``.
    """
    with transaction.atomic():
        running = last_comparison()
        if running and is_running(running):
            return running
        comparison = open_one(actor_id=actor_id, since=since, until=until)
        jobs.enqueue("compare_money", comparison_id=str(comparison.pk))
    return comparison


def open_one(
    *, actor_id: uuid.UUID | None, since: datetime | None = None, until: datetime | None = None
) -> Comparison:
    """Record that a comparison is wanted; ``run`` does it. Raises as ``request``."""
    ends = until or clock.now()
    begins = since or ends - DEFAULT_SPAN
    if begins >= ends:
        raise Invalid.field("since", "The span must begin before it ends.")
    if ends - begins > MAX_SPAN:
        raise Invalid.field("since", f"A span is at most {MAX_SPAN.days} days.")
    with transaction.atomic():
        comparison = open_comparison(actor_id=actor_id, since=begins, until=ends)
        record(
            "payments.compare",
            actor_id=actor_id,
            subject_type="comparison",
            subject_id=comparison.pk,
        )
    return comparison


def is_running(comparison: Comparison) -> bool:
    """Whether a comparison has neither ended nor been given up."""
    age = clock.now() - comparison.requested_at
    return not comparison.finished_at and age < _ABANDONED_AFTER


def run(comparison_id: uuid.UUID, *, tell: Tell | None = None) -> Comparison:
    """Heal, then compare, gateway by gateway; one that does not answer is noted. Starts anew when
    run twice. Call it outside a transaction."""
    comparison = Comparison.objects.get(pk=comparison_id)
    rows = Comparison.objects.filter(pk=comparison_id)

    def said(step: str) -> None:
        rows.update(step=step[:120])
        live.notify(TOPIC, kind="progress", user_id=None)
        if tell:
            tell(step)

    tally, gateways = Tally(), []
    for name in registry.in_use():
        try:
            detail, answered = _compare_one(comparison, name, tally, said), True
        except (GatewayUnavailable, GatewayRefused, UnknownGateway) as error:
            detail, answered = error.detail, False
        gateways.append({"name": name, "answered": answered, "detail": detail})
    rows.update(
        gateways=gateways,
        asked=tally.asked,
        healed=tally.healed,
        step="",
        finished_at=clock.now(),
    )
    live.notify(TOPIC, kind="finished", user_id=None)
    return rows.get()


def sweep() -> Tally:
    """The periodic part: hear what has moved since the last look, and ask about what has been
    open for long. Gateways that do not answer are left for the next time."""
    tally = Tally()
    for name in registry.in_use():
        heard = Heard.objects.filter(gateway=name).values_list("until", flat=True).first()
        now = clock.now()
        since = heard - _MARGIN if heard else now - _FIRST_LOOK
        try:
            movements = list(registry.named(name).recent(since, now))
            found = healing.heal(
                name,
                movements,
                since=since,
                opened_before=now - reconciliation.ASK_AFTER,
                tell=_silent,
            )
        except (GatewayUnavailable, GatewayRefused, UnknownGateway) as error:
            log.warning("gateway not reconciled", gateway=name, error=error.detail)
            continue
        mark_heard(name, now)
        tally.asked += found.asked
        tally.healed += found.healed
    return tally


def heal_difference(*, difference_id: uuid.UUID, actor_id: uuid.UUID) -> Difference:
    """Try to mend one difference by asking the gateway once more.

    Raises DifferenceMissing, NothingToHeal when that cannot mend it, GatewayUnavailable.
    """
    found = difference(difference_id)
    if found.healed_at:
        return found
    if found.reason not in HEALABLE or found.payment_id is None:
        raise NothingToHeal
    try:
        healed, outcome = _mend(found)
    except (GatewayRefused, PaymentMissing, NotYet) as error:
        healed, outcome = False, str(error)
    with transaction.atomic():
        mark_outcome(found, outcome, healed=healed)
        record(
            "payments.heal",
            actor_id=actor_id,
            subject_type="difference",
            subject_id=found.pk,
            reason=found.reason,
            healed=healed,
        )
    return found


def _compare_one(comparison: Comparison, name: str, tally: Tally, tell: Tell) -> str:
    tell(f"{name}: asking for what has moved")
    gateway = registry.named(name)
    movements = list(gateway.recent(comparison.since, comparison.until))
    found = healing.heal(
        name, movements, since=comparison.since, opened_before=clock.now(), tell=tell
    )
    tally.asked += found.asked
    tally.healed += found.healed
    tell(f"{name}: comparing with the books")
    if found.asked:  # refunds may have been sent meanwhile
        movements = list(gateway.recent(comparison.since, comparison.until))
    report = _report(comparison, name, movements)
    store_report(comparison, name, report)
    return f"{_counted(len(movements), 'movement')}, {_counted(len(report.items), 'difference')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _report(comparison: Comparison, name: str, movements: list[Movement]) -> Report:
    since, until = comparison.since, comparison.until
    known = known_payments(name, movements)
    references = {row.reference for row in known.values()}
    rows = booked(name, since=since, until=until, references=references)
    pairs, left = pair(movements, rows, known)
    # Of those for a payment of this span, some were booked and moved outside of it.
    left = [row for row in left if since <= row.at < until]
    if left:  # settled late: it may have moved before the span
        earlier = list(registry.named(name).recent(since - _FIRST_LOOK, since))
        left = pair(earlier, left, known_payments(name, earlier))[1]
    return compare(pairs, left)


def _mend(found: Difference) -> tuple[bool, str]:
    if found.payment_id is None:
        return False, ""
    if found.reason == Reason.REFUND_NOT_BOOKED:
        healing.hear_refund(found.payment_id, found.ref, str(found.refund_id or ""))
        return True, "The refund is booked."
    if found.reason == Reason.NOT_BOOKED:
        healing.hear_charge(found.payment_id, found.payment_ref)
    return reconciliation.verify(found.payment_id)


def _silent(step: str) -> None:
    """Nobody listens to the periodic part."""
