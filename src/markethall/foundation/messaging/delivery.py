"""Handing mails to the carrier: claim → call → record, so that none is lost and none needlessly
sent twice.

A mail is claimed for a while. If its sender dies, or the answer is lost, nobody knows whether it
went out. A carrier that repeats safely gets it again, under the same key, after a minute. With
the others we wait five minutes, in which a webhook may tell that it went, and only then try
again: twice is better than never, and both bear one Message-ID where we make it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from email.utils import formataddr, parseaddr
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction

from markethall.foundation.messaging.actions import QUEUE
from markethall.foundation.messaging.models import Mail, MailStatus, SuppressionReason
from markethall.foundation.messaging.queries import without_secrets
from markethall.foundation.messaging.rules import KINDS, Kind, wait_after
from markethall.foundation.messaging.suppressions import is_withheld, suppress
from markethall.foundation.messaging.vendors import registry
from markethall.foundation.messaging.vendors.base import Carrier, Failure, Ticket, Verdict
from markethall.foundation.platform.queries import platform_settings
from markethall.kernel import clock, jobs
from markethall.kernel.locking import lock_rows

log = structlog.get_logger(__name__)
_LEASE = timedelta(minutes=5)
_SHORT_LEASE = timedelta(minutes=1)
# A mail that waits longer than this past its time has lost its job.
_FORGOTTEN = timedelta(minutes=10)
_SUPPRESSED = "Not sent: the address is on the list of those not written to any more."

# Those whose sender is dead, and those whose job is: each gets a job anew, in one statement.
_TAKE_UP = """
UPDATE messaging_mail SET status = 'queued', due_at = %s
 WHERE id IN (SELECT id FROM messaging_mail
               WHERE (status = 'sending' AND due_at <= %s) OR (status = 'queued' AND due_at <= %s)
               ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def deliver(mail_id: uuid.UUID, attachments: Sequence[tuple[str, bytes, str]] = ()) -> None:
    """Hand a mail that waits to the carrier. A failure is recorded, and tried again later where
    that makes sense.

    ``attachments`` are (name, content, content type).
    """
    carrier = registry.current()
    mail = _claim(mail_id, carrier)
    if mail is None:
        return
    ticket = Ticket(mail.pk, mail.round)
    message = message_of(mail)
    for attachment in attachments:
        message.attach(*attachment)
    carrier.label(message, ticket, mail.template)
    try:
        message.send()
    except Exception as error:
        failure = carrier.failure(error)
        log.warning(
            "mail not taken",
            mail_id=str(mail.pk),
            template=mail.template,
            carrier=carrier.name,
            attempt=mail.attempts,
            verdict=failure.verdict.value,
            error=failure.text,
        )
        _record_failure(ticket, failure)
        return
    log.info("mail sent", mail_id=str(mail.pk), template=mail.template, carrier=carrier.name)
    known_as = getattr(getattr(message, "anymail_status", None), "message_id", None)
    _record_sent(ticket, carrier, known_as if isinstance(known_as, str) else "")


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """The message as it goes out: sender, where answers go, and how to end such mails."""
    headers = {}
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        from_email=_sender(mail),
        to=[mail.to],
        reply_to=[platform_settings().support_email],
        headers=headers,
    )
    message.attach_alternative(mail.html, "text/html")
    return message


def take_up_forgotten() -> int:
    """Enqueue mails whose sender or job is gone; returns how many."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE_UP, [now, now, now - _FORGOTTEN])
        found = [row[0] for row in cursor.fetchall()]
        for mail_id in found:
            jobs.enqueue("deliver_mail", queue=QUEUE, mail_id=str(mail_id))
    return len(found)


def afterwards(mail: Mail) -> dict[str, Any]:
    """The fields of a mail that has left, or never will, without what nobody here needs then."""
    if mail.fleeting:
        address = f"erased-{mail.pk.hex}@erased.invalid"
        bare: dict[str, Any] = {"to": address, "subject": "", "text": "", "html": "", "error": ""}
        return {**bare, "withheld": True, "secrets": []}
    if settings.SANDBOX or not mail.secrets:
        return {}
    text, html = without_secrets(mail)
    return {"text": text, "html": html, "secrets": [], "withheld": True}


def _sender(mail: Mail) -> str:
    if not mail.sender:
        return settings.DEFAULT_FROM_EMAIL
    return formataddr((mail.sender, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))


def _claim(mail_id: uuid.UUID, carrier: Carrier) -> Mail | None:
    """Take a mail that waits; None when there is nothing to send."""
    with transaction.atomic():
        mail = lock_rows(Mail, [mail_id]).get(mail_id)
        if mail is None or mail.status != MailStatus.QUEUED:
            return None
        if is_withheld(mail.to, KINDS.get(mail.template, Kind.ORDER)):
            _end(mail, status=MailStatus.SUPPRESSED, error=_SUPPRESSED)
            return None
        lease = _SHORT_LEASE if carrier.repeats_safely else _LEASE
        mail.attempts += 1
        _change(
            mail,
            status=MailStatus.SENDING,
            attempts=mail.attempts,
            due_at=clock.now() + lease,
            carrier=carrier.name,
        )
    return mail


def _record_sent(ticket: Ticket, carrier: Carrier, known_as: str) -> None:
    with transaction.atomic():
        mail = _present(ticket)
        if mail is None:
            return
        waits = mail.status in {MailStatus.QUEUED, MailStatus.SENDING}
        _end(
            mail,
            **({"status": MailStatus.SENT, "error": ""} if waits else {}),
            sent_at=mail.sent_at or clock.now(),
            message_id=known_as or mail.message_id,
            carrier=carrier.name,
        )


def _record_failure(ticket: Ticket, failure: Failure) -> None:
    with transaction.atomic():
        mail = _present(ticket)
        if mail is None or mail.status != MailStatus.SENDING:
            return  # a webhook was quicker, and knows better
        error = failure.text.replace("\x00", "")[:1000]
        if failure.verdict == Verdict.REFUSED:
            if failure.dead:
                suppress(mail, SuppressionReason.BOUNCED, detail=error.replace(mail.to, "…"))
            _end(mail, status=MailStatus.REJECTED, error=error)
            return
        wait = wait_after(mail.attempts)
        if failure.verdict == Verdict.NEVER or wait is None:
            _end(mail, status=MailStatus.FAILED, error=error)
            return
        if failure.verdict == Verdict.UNSURE:
            _change(mail, error=error)  # until its lease is over
            return
        wait = max(wait, failure.wait or wait)
        _change(mail, status=MailStatus.QUEUED, error=error, due_at=clock.now() + wait)
        jobs.enqueue("deliver_mail", queue=QUEUE, delay=wait, mail_id=str(mail.pk))


def _present(ticket: Ticket) -> Mail | None:
    mail = lock_rows(Mail, [ticket.mail_id]).get(ticket.mail_id)
    return mail if mail is not None and mail.round == ticket.round else None


def _end(mail: Mail, **fields: Any) -> None:
    _change(mail, **fields | afterwards(mail))


def _change(mail: Mail, **fields: Any) -> None:
    Mail.objects.filter(pk=mail.pk).update(**fields)
