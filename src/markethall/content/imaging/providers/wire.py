"""HTTP to providers: bounded in time and in bytes, and without retries of its own.

Retries are jobs (``flows/generation.py``), so that a worker never sleeps and nothing is tried
more often than is written down.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from django.conf import settings

from markethall.content.imaging.providers.base import (
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaExhausted,
    RequestRejected,
    UnusableAnswer,
)

# A picture of 10 MB in base64, with room for what stands around it.
MAX_ANSWER = 16 * 1024 * 1024  # bytes
LONGEST_PAUSE = 300.0  # seconds; who asks for more is left out of this generation
_CONNECT = 10.0  # seconds


class Bounded(httpx.HTTPTransport):
    """Ends an answer that is too large, or that comes drop by drop for longer than IMAGE_TIMEOUT.

    What it raises is a ProviderUnavailable, which SDKs wrap: see ``told``.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ends = time.monotonic() + timeout()
        response = super().handle_request(request)
        length = response.headers.get("content-length", "")
        if length.isdigit() and int(length) > MAX_ANSWER:
            response.close()
            raise UnusableAnswer(f"an answer of {length} bytes")
        response.stream = _BoundedStream(response.stream, ends)  # type: ignore[arg-type]
        return response


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, ends: float) -> None:
        self._inner, self._ends = inner, ends

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for chunk in self._inner:
            seen += len(chunk)
            if seen > MAX_ANSWER:
                raise UnusableAnswer(f"an answer of more than {MAX_ANSWER} bytes")
            if time.monotonic() > self._ends:
                raise ProviderUnavailable(f"took longer than {timeout():.0f} s")
            yield chunk

    def close(self) -> None:
        self._inner.close()


def timeout() -> float:
    """How long a provider may take for one call, in seconds."""
    return float(settings.ENVIRONMENT.image_timeout)


def limits() -> httpx.Timeout:
    """The same for a client's connections."""
    return httpx.Timeout(timeout(), connect=min(_CONNECT, timeout()))


def client(base_url: str = "", headers: Mapping[str, str] | None = None) -> httpx.Client:
    """A client for APIs without an SDK, and for SDKs that take one."""
    return httpx.Client(
        base_url=base_url, headers=dict(headers or {}), timeout=limits(), transport=Bounded()
    )


def told(error: BaseException) -> ProviderUnavailable:
    """What became of a call that raised ``error``: our own exception where an SDK wrapped one,
    else that it did not answer. The texts of others are left out: they may hold parts of a key."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ProviderUnavailable):
            return cause
        cause = cause.__cause__ or cause.__context__
    return ProviderUnavailable(f"did not answer: {type(error).__name__}")


def judged(status: int, said: str, headers: Mapping[str, str]) -> Exception:
    """What an error means that its provider says nothing more particular about."""
    if status == 402:
        return QuotaExhausted(said)
    if status in {429, 503}:
        return busy(headers, said)
    if status in {401, 403, 404}:
        return ProviderMisconfigured(said)
    if 400 <= status < 500 and status not in {408, 409, 425}:
        return RequestRejected(said)
    return ProviderUnavailable(said)


def busy(headers: Mapping[str, str], reason: str, asked: float | None = None) -> Exception:
    """What a 429 or 503 means: later, or not within what anybody waits."""
    pause = asked if asked is not None else retry_after(headers)
    if pause is not None and pause > LONGEST_PAUSE:
        return QuotaExhausted(f"{reason}, asks for {pause:.0f} s")
    return ProviderUnavailable(reason, retry_after=pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a ``Retry-After`` asks for: a number, or a date."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
