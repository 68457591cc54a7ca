"""What vendors report of our mails."""

from __future__ import annotations

from typing import Any

from markethall.foundation.messaging.delivery import afterwards
from markethall.foundation.messaging.models import Mail, MailStatus, SuppressionReason
from markethall.foundation.messaging.rules import after
from markethall.foundation.messaging.suppressions import resubscribe, suppress
from markethall.foundation.messaging.vendors.base import News, Notice
from markethall.kernel import clock
from markethall.kernel.locking import lock

_STAMPS = {
    News.DELIVERED: ("delivered_at",),
    News.OPENED: ("opened_at", "delivered_at"),
    News.CLICKED: ("clicked_at", "delivered_at"),
}
_TROUBLED = {
    MailStatus.DEFERRED,
    MailStatus.REJECTED,
    MailStatus.BOUNCED,
    MailStatus.COMPLAINED,
}
_REASONS = {
    News.BOUNCED: SuppressionReason.BOUNCED,
    News.REJECTED: SuppressionReason.BOUNCED,
    News.COMPLAINED: SuppressionReason.COMPLAINED,
    News.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
}


def take_in(carrier: str, notice: Notice) -> str | None:
    """Move the mail to where ``notice`` says it is, in the caller's transaction; returns a
    sentence, or None when no mail of ours is meant. Can run any number of times."""
    mail = _mail_of(notice)
    if mail is None:
        return None
    if notice.round and notice.round != mail.round:
        return "It is about an earlier sending of this mail."
    before = MailStatus(mail.status)
    status = after(before, notice.news)
    at = notice.at or clock.now()
    changes: dict[str, Any] = {
        name: at for name in _STAMPS.get(notice.news, ()) if getattr(mail, name) is None
    }
    if status != before:
        changes["status"] = status
        if before in {MailStatus.QUEUED, MailStatus.SENDING}:
            changes |= {"sent_at": mail.sent_at or at, "carrier": carrier}
        changes["error"] = notice.detail if status in _TROUBLED else ""
    if notice.message_id and not mail.message_id:
        changes["message_id"] = notice.message_id
    reason = _REASONS.get(notice.news)
    if reason and (notice.hard or notice.news == News.UNSUBSCRIBED):
        suppress(mail, reason, detail=notice.detail)
    elif notice.news == News.SUBSCRIBED:
        resubscribe(mail.to)
    if "status" in changes:
        changes |= afterwards(mail)
    if changes:
        Mail.objects.filter(pk=mail.pk).update(**changes)
    return f"The mail is {status.value}."


def _mail_of(notice: Notice) -> Mail | None:
    if notice.mail_id:
        found = lock(Mail.objects.filter(pk=notice.mail_id))
        if found:
            return found[0]
    if not notice.message_id:
        return None
    found = lock(Mail.objects.filter(message_id=notice.message_id))
    return found[0] if found else None
