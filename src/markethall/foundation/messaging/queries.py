from __future__ import annotations

import re

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
