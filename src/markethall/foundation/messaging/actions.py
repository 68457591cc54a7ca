from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.errors import MailMissing, MailWithheld
from markethall.foundation.messaging.models import Mail, MailStatus
from markethall.foundation.messaging.queries import without_secrets
from markethall.foundation.platform.queries import platform_settings
from markethall.kernel import clock, jobs
from markethall.kernel.locking import lock, lock_one

MAX_ATTEMPTS = 8
# Mails and what is attached to them wait here, so that they hold nothing else up.
QUEUE = "mail"


def send_mail(
    template: str,
    *,
    to: str,
    user_id: uuid.UUID | None = None,
    context: dict[str, Any] | None = None,
    attachments: Sequence[uuid.UUID] = (),
    secrets: Sequence[str] = (),
) -> Mail:
    """Write a mail and the job that sends it, in the caller's transaction.

    ``template`` names ``mail/<template>.html``, ``.txt`` and ``.subject.txt``. ``attachments``
    are ids of stored files. ``secrets`` are what its body holds for its reader only: they are cut
    out of the log once the mail is sent or given up; the sandbox keeps them, its log is the outbox.
    """
    with transaction.atomic():
        values = {
            "site_url": settings.SITE_URL,
            "support_email": platform_settings().support_email,
            "recipient": to,
            **(context or {}),
        }
        subject = render_to_string(f"mail/{template}.subject.txt", values)
        mail = Mail.objects.create(
            to=to,
            user_id=user_id,
            template=template,
            subject=re.sub(r"\s+", " ", subject).strip(),
            text=render_to_string(f"mail/{template}.txt", values).strip() + "\n",
            html=render_to_string(f"mail/{template}.html", values),
            attachments=[str(file_id) for file_id in attachments],
            secrets=list(secrets),
            created_at=clock.now(),
        )
        jobs.enqueue("deliver_mail", queue=QUEUE, mail_id=str(mail.pk))
    return mail


def deliver(mail_id: uuid.UUID, attachments: Sequence[tuple[str, bytes, str]] = ()) -> None:
    """Hand a mail that waits to the mail server. Raises what the server raises.

    ``attachments`` are (name, content, content type). A crash between the server's yes and our
    record of it sends a mail twice: better than never.
    """
    mail = Mail.objects.filter(pk=mail_id, status=MailStatus.QUEUED).first()
    if mail is None:
        return
    message = EmailMultiAlternatives(mail.subject, mail.text, to=[mail.to])
    message.attach_alternative(mail.html, "text/html")
    for attachment in attachments:
        message.attach(*attachment)
    try:
        message.send()
    except Exception as error:
        _record_failure(mail_id, error)
        raise
    with transaction.atomic():
        mail = lock_one(Mail.objects.filter(pk=mail_id))
        Mail.objects.filter(pk=mail_id).update(
            status=MailStatus.SENT,
            sent_at=clock.now(),
            attempts=F("attempts") + 1,
            error="",
            **_withheld(mail),
        )


def resend(mail_id: uuid.UUID, *, actor_id: uuid.UUID) -> Mail:
    """Send a mail once more, as it was written. One that waits already is left alone.

    Raises MailMissing, MailWithheld.
    """
    with transaction.atomic():
        found = lock(Mail.objects.filter(pk=mail_id))
        if not found:
            raise MailMissing
        mail = found[0]
        if mail.status == MailStatus.QUEUED:
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
        mail.status, mail.attempts = MailStatus.QUEUED, 0
        mail.save(update_fields=["status", "attempts"])
        jobs.enqueue("deliver_mail", queue=QUEUE, mail_id=str(mail.pk))
    return mail


def _record_failure(mail_id: uuid.UUID, error: Exception) -> None:
    with transaction.atomic():
        mail = lock_one(Mail.objects.filter(pk=mail_id))
        attempts = mail.attempts + 1
        given_up = attempts >= MAX_ATTEMPTS
        Mail.objects.filter(pk=mail_id).update(
            attempts=attempts,
            error=f"{type(error).__name__}: {error}"[:1000],
            status=MailStatus.FAILED if given_up else MailStatus.QUEUED,
            **(_withheld(mail) if given_up else {}),
        )


def _withheld(mail: Mail) -> dict[str, Any]:
    """The fields of ``mail`` without its secrets, where nobody reads the log as an outbox."""
    if settings.SANDBOX or not mail.secrets:
        return {}
    text, html = without_secrets(mail)
    return {"text": text, "html": html, "secrets": [], "withheld": True}
