"""Mail."""

from __future__ import annotations

from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from markethall.foundation.messaging.actions import MAX_ATTEMPTS, deliver

_MAIL_RETRIES = RetryStrategy(max_attempts=MAX_ATTEMPTS, exponential_wait=3)


@app.task(name="deliver_mail", queue="default", retry=_MAIL_RETRIES)
def deliver_mail(mail_id: str) -> None:
    deliver(UUID(mail_id))
