from __future__ import annotations

import re
import uuid

from django.db.models import QuerySet

from markethall.foundation.messaging.models import Mail

_LINK = re.compile(r"https?://[^\s<>\"']+")


def outbox(to: str = "") -> QuerySet[Mail]:
    """Mails, newest first; ``to`` narrows them to one address."""
    mails = Mail.objects.order_by("-id")
    return mails.filter(to=to.strip().lower()) if to else mails


def links_in(mail: Mail) -> list[str]:
    """The links of a mail's text part, in order, each once."""
    return list(dict.fromkeys(_LINK.findall(mail.text)))


def attached_files(mail_id: uuid.UUID) -> list[uuid.UUID]:
    """The ids of the stored files that a mail carries."""
    found = Mail.objects.filter(pk=mail_id).values_list("attachments", flat=True).first()
    return [uuid.UUID(file_id) for file_id in found or ()]
