"""What vendors tell of our mails: into the inbox, and from there into the mail log.

The inbox keeps what an event means for a mail, not the event itself, which names the reader, their
network address and their mail program.
"""

from __future__ import annotations

import json

from django.db import transaction
from django.http import HttpRequest

from markethall.foundation.messaging.tracking import take_in
from markethall.foundation.messaging.vendors import registry
from markethall.foundation.messaging.vendors.base import News, Notice
from markethall.foundation.payments import inbox
from markethall.foundation.payments.inbox import Arrival, Outcome
from markethall.foundation.payments.models import InboxEvent, InboxStatus


def receive(carrier: str, request: HttpRequest) -> None:
    """Verify a vendor's webhook and store each of its events once.

    Raises InvalidWebhook and UnknownCarrier; nothing is stored then.
    """
    notices = registry.named(carrier).read_webhook(request)
    inbox.store(
        [
            Arrival(carrier, notice.event_id, notice.type, json.dumps(notice.payload()))
            for notice in notices
        ]
    )


def is_about_mail(event: InboxEvent) -> bool:
    """Whether an event of the inbox came from a carrier of mails."""
    return event.provider in registry.VENDORS


def settle(event: InboxEvent) -> Outcome:
    """Bring the mail to where the event says it is. Can run any number of times."""
    notice = Notice.of_payload(event.event_id, event.type, event.payload)
    with transaction.atomic():
        if notice.news == News.OTHER:
            outcome = Outcome(InboxStatus.IGNORED, f"Nothing follows from {event.type!r}.")
        else:
            said = take_in(event.provider, notice)
            outcome = (
                Outcome(InboxStatus.SETTLED, said)
                if said
                else Outcome(InboxStatus.IGNORED, "It is about no mail of ours.")
            )
        inbox.conclude([(event, outcome)])
    return outcome
