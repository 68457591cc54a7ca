"""What the vendors have in common that are reached by HTTP and speak through django-anymail."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import requests
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailRecipientsRefused,
    AnymailWebhookValidationFailure,
)
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest

from markethall.foundation.messaging.errors import CarrierUnwell, InvalidWebhook, UnknownCarrier
from markethall.foundation.messaging.vendors.base import (
    Failure,
    News,
    Notice,
    Ticket,
    Verdict,
    causes,
)

_LATER = {408, 425, 429}
# The operator has something to mend; mails wait for that as long as they are tried.
_OURS = {401, 402, 403, 404}
_LONGEST_WAIT = 3600  # seconds; what a vendor may ask for
_TIMEOUT = 10  # seconds

_NEWS = {
    "queued": News.SENT,
    "sent": News.SENT,
    "deferred": News.DEFERRED,
    "delivered": News.DELIVERED,
    "rejected": News.REJECTED,
    "failed": News.REJECTED,
    "bounced": News.BOUNCED,
    "complained": News.COMPLAINED,
    "opened": News.OPENED,
    "clicked": News.CLICKED,
    "unsubscribed": News.UNSUBSCRIBED,
    "subscribed": News.SUBSCRIBED,
}


class VendorApi(ABC):
    """Base of the vendors: how an answer is judged, a webhook read, the account probed."""

    name: ClassVar[str]
    title: ClassVar[str]
    repeats_safely = False
    tells = True
    probe_path: ClassVar[str]

    def label(self, message: EmailMultiAlternatives, ticket: Ticket, template: str) -> None:
        metadata = {"mail_id": str(ticket.mail_id), "round": str(ticket.round)}
        vars(message).update(metadata=metadata, tags=[template])

    def failure(self, error: Exception) -> Failure:
        text = str(error)[:1000] or type(error).__name__
        if isinstance(error, AnymailRecipientsRefused):
            return Failure(Verdict.REFUSED, text, dead=True)
        answer: requests.Response | None = getattr(error, "response", None)
        if answer is not None:
            return self.judge(answer, text)
        if any(isinstance(cause, requests.ConnectTimeout) for cause in causes(error)):
            return Failure(Verdict.AGAIN, text)
        lost = (
            requests.Timeout,
            requests.ConnectionError,
            requests.exceptions.ChunkedEncodingError,
        )
        if any(isinstance(cause, lost) for cause in causes(error)):
            unreached = "NewConnectionError" in text or "NameResolutionError" in text
            return Failure(Verdict.AGAIN if unreached else Verdict.UNSURE, text)
        return Failure(Verdict.AGAIN, f"{type(error).__name__}: {text}"[:1000])

    def judge(self, answer: requests.Response, text: str) -> Failure:
        """What an HTTP answer that is no success means."""
        status = answer.status_code
        if status in _LATER:
            return Failure(Verdict.AGAIN, text, wait=_asked_wait(answer))
        if status < 300 or status in {500, 502, 504}:
            # Taken perhaps, and the answer was broken.
            return Failure(Verdict.UNSURE, text)
        if status > 500 or status in _OURS:
            return Failure(Verdict.AGAIN, text, wait=_asked_wait(answer))
        return Failure(Verdict.NEVER, text)

    def read_webhook(self, request: HttpRequest) -> list[Notice]:
        """Verify and read by anymail's own view of the vendor."""
        view = self.tracking_view()
        if view is None:
            raise UnknownCarrier(f"No secret is set that {self.title}'s webhooks could show.")
        try:
            view.run_validators(request)
            self.check_age(request)
            told = view.parse_events(request)
            notices = [self._notice(event, request) for event in told]
        except AnymailWebhookValidationFailure as error:
            raise InvalidWebhook from error
        except (
            AnymailConfigurationError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:
            raise InvalidWebhook(f"This is no event of {self.title}.") from error
        return notices

    @abstractmethod
    def tracking_view(self) -> Any | None:
        """anymail's view with our secret; None without one."""

    def check_age(self, request: HttpRequest) -> None:  # noqa: B027, most views do it themselves
        """Refuse what is too old, where its verification does not. Raises InvalidWebhook."""

    def event_id(self, event: Any, request: HttpRequest) -> str:
        """What tells a repeated delivery from a new event."""
        return str(event.event_id)

    @abstractmethod
    def event_type(self, event: Any) -> str:
        """The vendor's own name of what happened."""

    def news(self, event: Any) -> News:
        """What happened."""
        return _NEWS.get(event.event_type, News.OTHER)

    @abstractmethod
    def is_hard(self, event: Any) -> bool:
        """Whether the address takes no mail any more."""

    def probe(self) -> str:
        answer = self.call("GET", self.probe_path)
        return self.found(answer.json())

    @abstractmethod
    def found(self, document: Any) -> str:
        """What the probe's answer says of the account."""

    def forgive(self, address: str) -> str:
        return ""

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the vendor's API. Raises CarrierUnwell for anything but success."""
        url = str(settings.ANYMAIL[f"{self.name.upper()}_API_URL"]).rstrip("/") + path
        try:
            answer = requests.request(
                method, url, headers=self.headers(), json=body, timeout=_TIMEOUT
            )
        except requests.RequestException as error:
            said = f"{self.title} cannot be reached at {url} ({type(error).__name__})"
            raise CarrierUnwell(said) from error
        if not answer.ok:
            raise CarrierUnwell(f"{self.title} answers {answer.status_code}: {answer.text[:300]}")
        return answer

    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """The headers that say who calls."""

    def _notice(self, event: Any, request: HttpRequest) -> Notice:
        metadata = event.metadata if isinstance(event.metadata, dict) else {}
        news = self.news(event)
        return Notice(
            event_id=self.event_id(event, request)[:255],
            type=self.event_type(event)[:100],
            news=news,
            mail_id=_uuid(metadata.get("mail_id")),
            round=_round(metadata.get("round")),
            message_id=str(event.message_id or "")[:255],
            at=_past(event.timestamp),
            hard=news == News.COMPLAINED or self.is_hard(event),
            detail=_said([event.description, event.mta_response], event.recipient),
        )


def header(request: HttpRequest, name: str) -> str:
    """A header's value, or an empty text."""
    return request.headers.get(name, "")


def view_of(view: Callable[..., Any], **secret: Any) -> Any:
    """One of anymail's webhook views, bound to its secret."""
    return view(**{"webhook_secret": [], **secret})


def _said(texts: Sequence[Any], recipient: Any) -> str:
    """What the other side said, without the address it said it of."""
    said = " ".join(str(text) for text in texts if text)
    if recipient:
        said = said.replace(str(recipient), "the address")
    return said.replace("\x00", "")[:300]


def _uuid(value: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


def _round(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 5 else 0


def _past(at: datetime | None) -> datetime | None:
    """A time with its zone; None for one that lies ahead of us."""
    if at is None:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if at <= datetime.now(UTC) + timedelta(minutes=5) else None


def _asked_wait(answer: requests.Response) -> timedelta | None:
    asked = answer.headers.get("Retry-After", "")
    if not asked.isdecimal() or len(asked) > 6:
        return None
    return timedelta(seconds=min(int(asked), _LONGEST_WAIT))
