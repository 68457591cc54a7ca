"""Sends the sandbox gateway's webhooks over HTTP, again and again until they are taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import structlog
from django.conf import settings
from django.utils import timezone

from markethall.foundation.payments.gateways.sandbox import outage, signing
from markethall.kernel import jobs

MAX_ATTEMPTS = 12
_AT_ONCE = 16
_TIMEOUT = 10.0  # seconds

log = structlog.get_logger(__name__)


def new_client() -> httpx.Client:
    """The gateway's HTTP client. Tests put the hall itself behind it."""
    return httpx.Client(timeout=_TIMEOUT, limits=httpx.Limits(max_connections=_AT_ONCE))


def send(events: Sequence[dict[str, Any]], *, attempt: int = 1) -> int:
    """Send every event at once; enqueue those that were not taken. Returns how many were.

    In an outage they are dropped for good.
    """
    if outage.until():
        log.warning("webhooks lost in an outage", events=sorted({event["id"] for event in events}))
        return 0
    with new_client() as client, ThreadPoolExecutor(min(_AT_ONCE, len(events))) as threads:
        taken = list(threads.map(lambda event: _send_one(client, event), events))
    left = [event for event, was_taken in zip(events, taken, strict=True) if not was_taken]
    if left and attempt < MAX_ATTEMPTS:
        jobs.enqueue(
            "send_sandbox_webhooks",
            events=left,
            attempt=attempt + 1,
            delay=timedelta(seconds=min(2**attempt, 600)),
        )
    elif left:
        log.warning("webhooks given up", events=sorted({event["id"] for event in left}))
    return len(events) - len(left)


def _send_one(client: httpx.Client, event: dict[str, Any]) -> bool:
    body = json.dumps(event, separators=(",", ":"))
    # Real time: a receiver refuses old timestamps by its own clock.
    headers = signing.sign(event["id"], timezone.now(), body)
    try:
        answer = client.post(
            f"{settings.SITE_URL}/api/webhooks/sandbox", content=body, headers=headers
        )
    except httpx.HTTPError as error:
        log.info("webhook not delivered", event_id=event["id"], error=str(error))
        return False
    return answer.is_success
