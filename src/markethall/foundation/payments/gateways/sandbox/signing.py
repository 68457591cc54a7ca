"""Signatures of the sandbox gateway's webhooks: Standard Webhooks, HMAC-SHA256."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from standardwebhooks import Webhook

from markethall.foundation.payments.errors import InvalidSignature


def sign(event_id: str, at: datetime, body: str) -> dict[str, str]:
    """The headers of a webhook sent ``at``."""
    signer = _verifiers(settings.ENVIRONMENT.sandbox_webhook_secret)[0]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign(event_id, at, body),
        "content-type": "application/json",
    }


def verify(headers: Mapping[str, str], body: bytes) -> str:
    """The event's id, once the signature holds; raises InvalidSignature.

    A timestamp more than five minutes off is refused, so that a recorded webhook is no key.
    """
    wanted = {
        name: headers.get(name, "")
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    }
    for verifier in _verifiers(settings.ENVIRONMENT.sandbox_webhook_secret):
        try:
            verifier.verify(body, wanted, json_parse=False)
        except Exception:  # noqa: S112  (the library lets parse errors of any kind through)
            continue
        return wanted["webhook-id"]
    raise InvalidSignature(
        "The signature, the timestamp or the body of this webhook is not what the sandbox"
        " gateway sent. Check SANDBOX_WEBHOOK_SECRET on both sides."
    )


@lru_cache(maxsize=4)
def _verifiers(secret: str) -> tuple[Webhook, ...]:
    """Readings of the secret: base64 as Standard Webhooks has it (``whsec_`` or bare), then the
    plain text that people type."""
    readings = []
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if decoded:
            readings.append(Webhook(decoded))
    except (binascii.Error, ValueError):
        pass
    return (*readings, Webhook(secret.encode()))
