"""Staff hears by mail of what waits for them in the console, at most once an hour.

Each thing is told of once, and again after a day when it still waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from markethall.flows import waiting
from markethall.flows.waiting import Wording, worded
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.actions import record
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.messaging.models import MailStatus
from markethall.foundation.messaging.queries import mails
from markethall.foundation.payments.models import ChargebackStatus, InboxStatus, RefundStatus
from markethall.foundation.payments.queries import chargebacks, inbox_events, refunds
from markethall.foundation.reconciliation.queries import open_differences
from markethall.kernel import clock, job_log
from markethall.kernel.errors import TooManyRequests
from markethall.kernel.throttle import Limit, count_try
from markethall.trade.inventory.queries import low_items
from markethall.trade.leads.models import LeadStatus
from markethall.trade.leads.queries import leads

_ACTION = "staff.alert"
_AT_MOST = Limit(1, timedelta(minutes=59))
_AGAIN_AFTER = timedelta(days=1)
_MOST = 100  # things of one kind that are told of at once

# What one and several are, address in the console, what stands there.
_Look = tuple[Wording, str, Callable[[], QuerySet[Any, Any]]]
_LOOKS: tuple[_Look, ...] = (
    (
        waiting.DEAD_EVENTS,
        "/console/inbox?status=dead",
        lambda: inbox_events(status=InboxStatus.DEAD),
    ),
    (
        waiting.PARKED_EVENTS,
        "/console/inbox?status=parked",
        lambda: inbox_events(status=InboxStatus.PARKED),
    ),
    (
        waiting.CHARGEBACKS,
        "/console/chargebacks?status=needs_response",
        lambda: chargebacks(status=ChargebackStatus.NEEDS_RESPONSE),
    ),
    (
        waiting.REFUSED_REFUNDS,
        "/console/refunds?status=failed",
        lambda: refunds(status=RefundStatus.FAILED),
    ),
    (
        waiting.DIFFERENCES,
        "/console/reconcile",
        open_differences,
    ),
    (
        waiting.FAILED_JOBS,
        "/console/jobs?state=failed",
        lambda: job_log.jobs_matching(state="failed"),
    ),
    (
        waiting.LEADS,
        "/console/leads?turn=us",
        lambda: leads(waiting=True).exclude(status__in=[LeadStatus.WON, LeadStatus.LOST]),
    ),
    (waiting.LOW_STOCK, "/console/stock?show=low", low_items),
    (
        waiting.UNSENT_MAILS,
        "/console/mails?status=failed",
        # An alert that could not be sent is no reason for another.
        lambda: mails(status=MailStatus.FAILED).exclude(template="staff_alert"),
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """So many things of one kind, which ``text`` says without the number; ``path`` is where the
    console shows them."""

    text: str
    count: int
    path: str

    @property
    def brief(self) -> str:
        """The text without what is to be done."""
        return self.text.partition(":")[0]


def tell_staff() -> int:
    """Mail everybody who administers the hall what has come up; returns how many mails that made.

    Can run any number of times.
    """
    now = clock.now()
    last = AuditEntry.objects.filter(action=_ACTION).order_by("-id").first()
    is_recent = last is not None and now - last.at < _AGAIN_AFTER
    known = set(last.data["told"]) if last and is_recent else set()
    standing = [(look, _ids(look)) for look in _LOOKS]
    findings = [
        Finding(worded(words, len(new)), len(new), path)
        for (words, path, _), ids in standing
        if (new := ids - known)
    ]
    if not findings or not _may_tell():
        return 0
    told = sorted(set().union(*(ids for _, ids in standing)))
    since = last.at if last and is_recent else now - _AGAIN_AFTER
    admins = User.objects.filter(role__in=[Role.ADMIN, Role.SUPER_ADMIN], is_active=True)
    with transaction.atomic():
        record(_ACTION, actor_id=None, told=told)
        for admin in admins:
            send_mail(
                "staff_alert",
                to=admin.email,
                user_id=admin.pk,
                context=alert_values(findings, since=since),
            )
    return len(admins)


def alert_values(findings: Sequence[Finding], *, since: datetime) -> dict[str, Any]:
    """What the mail ``staff_alert`` tells."""
    return {"findings": findings, "since": since, "link": f"{settings.SITE_URL}/console"}


def _ids(look: _Look) -> set[str]:
    newest = look[2]().order_by("-pk").values_list("pk", flat=True)[:_MOST]
    return {str(pk) for pk in newest}


def _may_tell() -> bool:
    try:
        count_try(_ACTION, _AT_MOST)
    except TooManyRequests:
        return False
    return True
