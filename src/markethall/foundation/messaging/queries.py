from __future__ import annotations

import re
import uuid

from django.db.models import QuerySet
from django.utils.html import escape

from markethall.foundation.messaging.models import Mail

_LINK = re.compile(r"https?://[^\s<>\"']+")


def outbox(to: str = "") -> QuerySet[Mail]:
    """Mails, newest first; ``to`` narrows them to one address."""
    mails = Mail.objects.order_by("-id")
    return mails.filter(to=to.strip().lower()) if to else mails


def mails(*, status: str = "", to: str = "", template: str = "") -> QuerySet[Mail]:
    """Mails that match every given filter, without their bodies; ``to`` by its beginning. Order
    by ``-id``."""
    found = Mail.objects.defer("html", "text")
    if status:
        found = found.filter(status=status)
    if to := to.replace("\x00", "").strip().lower():
        found = found.filter(to__startswith=to)
    if template:
        found = found.filter(template=template)
    return found


def links_in(mail: Mail) -> list[str]:
    """The links of a mail's text part, in order, each once."""
    return list(dict.fromkeys(_LINK.findall(mail.text)))


def without_secrets(mail: Mail) -> tuple[str, str]:
    """The text and the HTML of ``mail`` without what only its reader may know."""
    text, html = mail.text, mail.html
    for secret in mail.secrets:
        text = text.replace(secret, "…")
        html = html.replace(escape(secret), "…").replace(secret, "…")
    return text, html


def attached_files(mail_id: uuid.UUID) -> list[uuid.UUID]:
    """The ids of the stored files that a mail carries."""
    found = Mail.objects.filter(pk=mail_id).values_list("attachments", flat=True).first()
    return [uuid.UUID(file_id) for file_id in found or ()]
