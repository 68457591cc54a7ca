"""Writes to comparisons. Each function is a transaction of its own."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from markethall.foundation.reconciliation.models import (
    ComparedDay,
    Comparison,
    Difference,
    Heard,
)
from markethall.foundation.reconciliation.rules import Report
from markethall.kernel import clock


def open_comparison(*, actor_id: uuid.UUID | None, since: datetime, until: datetime) -> Comparison:
    """Record that a comparison is wanted."""
    return Comparison.objects.create(
        actor_id=actor_id, since=since, until=until, requested_at=clock.now()
    )


def store_report(comparison: Comparison, gateway: str, report: Report) -> None:
    """Store what was found at one gateway, in place of what an earlier try stored."""
    with transaction.atomic():
        comparison.days.filter(gateway=gateway).delete()
        comparison.differences.filter(gateway=gateway).delete()
        ComparedDay.objects.bulk_create(
            ComparedDay(
                comparison=comparison,
                gateway=gateway,
                currency=currency,
                day=day,
                charged_there=totals.charged_there,
                refunded_there=totals.refunded_there,
                charged_here=totals.charged_here,
                refunded_here=totals.refunded_here,
            )
            for (currency, day), totals in sorted(report.days.items())
        )
        Difference.objects.bulk_create(
            Difference(
                comparison=comparison,
                gateway=gateway,
                currency=item.currency,
                day=item.day,
                reason=item.reason,
                ref=item.ref[:255],
                payment_ref=item.payment_ref[:255],
                payment_id=item.payment_id,
                refund_id=item.refund_id,
                reference=item.reference,
                there=item.there,
                here=item.here,
            )
            for item in report.items
        )


def mark_outcome(difference: Difference, outcome: str, *, healed: bool) -> None:
    """What trying to mend a difference led to."""
    difference.outcome = outcome[:500]
    difference.healed_at = clock.now() if healed else None
    difference.save(update_fields=["outcome", "healed_at"])


def mark_heard(gateway: str, until: datetime) -> None:
    """Everything that moved at a gateway before then has been looked at."""
    Heard.objects.update_or_create(gateway=gateway, defaults={"until": until})
