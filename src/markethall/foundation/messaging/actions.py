"""Writing mails, and sending one once more."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.brands import HALL, Brand
from markethall.foundation.messaging.composing import compose
from markethall.foundation.messaging.errors import MailMissing, MailWithheld
from markethall.foundation.messaging.models import Mail, MailStatus
from markethall.foundation.messaging.rules import KINDS, STOPPABLE
from markethall.foundation.messaging.unsubscribing import unsubscribe_link
from markethall.kernel import clock, jobs
from markethall.kernel.locking import lock_one
from markethall.kernel.retention import delete_oldest
from markethall.kernel.rows import insert

# Mails and what is attached to them wait here, so that they hold nothing else up.
QUEUE = "mail"


def send_mail(
    template: str,
    *,
    to: str,
    user_id: uuid.UUID | None = None,
    context: dict[str, Any] | None = None,
    reference: uuid.UUID | None = None,
    attachments: Sequence[uuid.UUID] = (),
    secrets: Sequence[str] = (),
    brand: Brand = HALL,
    fleeting: bool = False,
) -> Mail:
    """Write a mail and the job that sends it, in the caller's transaction.

    ``template`` is one of ``rules.KINDS``. ``reference`` is what it is about, ``attachments`` are
    ids of stored files. ``secrets`` are what its body holds for its reader only: they are cut out
    of the log once the mail is sent or given up, except in the sandbox, whose log is the outbox.
    Of a ``fleeting`` mail neither address nor body is kept then.
    """
    kind = KINDS[template]
    stop = unsubscribe_link(user_id, kind) if user_id and kind in STOPPABLE else ""
    with transaction.atomic(savepoint=False):
        letter = compose(template, to=to, brand=brand, context=context or {}, unsubscribe_url=stop)
        now = clock.now()
        mail = Mail(
            to=to,
            user_id=user_id,
            template=template,
            reference=reference,
            brand=brand.slug,
            sender="" if brand is HALL else brand.name,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            attachments=[str(file_id) for file_id in attachments],
            secrets=list(secrets),
            fleeting=fleeting,
            unsubscribe_url=stop,
            created_at=now,
            due_at=now,
        )
        insert(mail)
        jobs.enqueue("deliver_mail", queue=QUEUE, mail_id=str(mail.pk))
    return mail


def resend(mail_id: uuid.UUID, *, actor_id: uuid.UUID) -> Mail:
    """Send a mail once more, as it was written. One that waits already is left alone.

    Raises MailMissing, MailWithheld.
    """
    with transaction.atomic():
        mail = lock_one(Mail.objects.filter(pk=mail_id), missing=MailMissing)
        if mail.status in {MailStatus.QUEUED, MailStatus.SENDING}:
            return mail
        if mail.withheld:
            raise MailWithheld("Have a new one mailed from the person's page.")
        record(
            "mail.resend",
            actor_id=actor_id,
            subject_type="mail",
            subject_id=mail.pk,
            was=mail.status,
        )
        mail.status, mail.attempts, mail.round = MailStatus.QUEUED, 0, mail.round + 1
        mail.due_at, mail.message_id = clock.now(), ""
        mail.sent_at = mail.delivered_at = mail.opened_at = mail.clicked_at = None
        mail.save()
        jobs.enqueue("deliver_mail", queue=QUEUE, mail_id=str(mail.pk))
    return mail


def forget_mails(*, before: datetime) -> int:
    """Delete mails written before that time which wait for nothing; returns how many."""
    waiting = [MailStatus.QUEUED, MailStatus.SENDING]
    return delete_oldest(
        Mail.objects.exclude(status__in=waiting), field="created_at", before=before
    )
