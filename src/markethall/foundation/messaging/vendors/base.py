"""What every carrier of mails can do, and how each says what went wrong."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest


class Verdict(StrEnum):
    """What a failed hand-over means for the next try."""

    AGAIN = "again"
    """It did not go out; it may with the next try."""
    UNSURE = "unsure"
    """The answer is lost: it may have gone out."""
    NEVER = "never"
    """This mail will not go out however often it is tried."""
    REFUSED = "refused"
    """The reader's address was refused."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a mail was not taken. ``wait`` is the vendor's wish; ``dead`` tells that the address
    takes no mail at all."""

    verdict: Verdict
    text: str
    wait: timedelta | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """One sending of a mail: the same for every try, another when it is sent once more."""

    mail_id: uuid.UUID
    round: int

    @property
    def key(self) -> str:
        return f"mail/{self.mail_id}/{self.round}"


class News(StrEnum):
    """What a vendor can report of a mail."""

    SENT = "sent"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of a vendor's webhook, without what is personal in it.

    ``mail_id`` and ``round`` are what we gave the mail along; ``hard`` tells that its address
    takes no mail any more. ``detail`` is what the other side said, without the address.
    """

    event_id: str
    type: str
    news: News
    mail_id: uuid.UUID | None
    round: int
    message_id: str
    at: datetime | None
    hard: bool
    detail: str

    def payload(self) -> dict[str, Any]:
        """The notice as the inbox keeps it."""
        return {
            "news": self.news.value,
            "mailId": str(self.mail_id) if self.mail_id else None,
            "round": self.round,
            "messageId": self.message_id,
            "at": self.at.isoformat() if self.at else None,
            "hard": self.hard,
            "detail": self.detail,
        }

    @classmethod
    def of_payload(cls, event_id: str, kind: str, kept: dict[str, Any]) -> Notice:
        """The notice that ``payload`` made ``kept`` of."""
        return cls(
            event_id=event_id,
            type=kind,
            news=News(kept["news"]),
            mail_id=uuid.UUID(kept["mailId"]) if kept["mailId"] else None,
            round=int(kept["round"]),
            message_id=str(kept["messageId"]),
            at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
            hard=bool(kept["hard"]),
            detail=str(kept["detail"]),
        )


class Carrier(Protocol):
    """Somebody who carries mails.

    ``repeats_safely``: the same ticket handed over twice goes out once. ``tells``: reports by
    webhook what became of a mail.
    """

    name: str
    repeats_safely: bool
    tells: bool

    def label(self, message: EmailMultiAlternatives, ticket: Ticket, template: str) -> None:
        """Give ``message`` along what its webhooks bring back."""

    def failure(self, error: Exception) -> Failure:
        """What ``error``, raised by sending, means."""

    def read_webhook(self, request: HttpRequest) -> list[Notice]:
        """The events of a webhook. Raises InvalidWebhook, and UnknownCarrier without a secret
        to verify it with."""

    def probe(self) -> str:
        """Ask the carrier whether it knows us, without sending; returns what was found.

        Raises CarrierUnwell.
        """

    def forgive(self, address: str) -> str:
        """Ask the carrier to write to ``address`` again; returns what it said, or "" when it
        keeps no list that a program may change. Raises CarrierUnwell."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and what it came from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
