"""Signatures of Polar's webhooks: Standard Webhooks, with either of two keys.

Secrets made before September 2026 sign with the bytes of the whole text, prefix included; later
ones with what follows ``whsec_``, decoded from base64, as the standard has it. Which one it is
depends on when the secret was made, and nothing in a delivery says so: both are tried.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from django.conf import settings
from standardwebhooks import Webhook

from markethall.foundation.payments.errors import InvalidSignature

_PREFIX = "whsec_"


def verify(headers: Mapping[str, str], body: bytes) -> str:
    """The delivery's id, once the signature holds and is not older than five minutes; the same
    in every delivery of an event. Raises InvalidSignature."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    wanted = {name: headers.get(name, "") for name in names}
    secret = settings.ENVIRONMENT.polar_webhook_secret
    keys = _keys(secret) if secret and wanted["webhook-id"] else []
    if any(_is_signed(key, wanted, body) for key in keys):
        return wanted["webhook-id"]
    raise InvalidSignature(
        "The signature, the timestamp or the body of this webhook is not what Polar sent. Check"
        " POLAR_WEBHOOK_SECRET."
    )


def _keys(secret: str) -> list[bytes]:
    rest = secret.removeprefix(_PREFIX)
    try:
        decoded = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    return [key for key in (secret.encode(), decoded) if key]


def _is_signed(key: bytes, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(key).verify(body, headers, json_parse=False)
    except Exception:  # the library lets parse errors of any kind through
        return False
    return True
