"""Signatures of Polar's webhooks: Standard Webhooks, keyed with the bytes of the whole secret.

Polar encodes the secret as it is shown, prefix included, in base64 before it hands it to the
library, which decodes it again: so the text itself is the key.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from standardwebhooks import Webhook

from markethall.foundation.payments.errors import InvalidSignature


def verify(headers: Mapping[str, str], body: bytes) -> str:
    """The delivery's id, once the signature holds and is not older than five minutes; the same
    in every delivery of an event. Raises InvalidSignature."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    wanted = {name: headers.get(name, "") for name in names}
    secret = settings.ENVIRONMENT.polar_webhook_secret
    if secret and wanted["webhook-id"]:
        try:
            Webhook(secret.encode()).verify(body, wanted, json_parse=False)
        except Exception:  # noqa: S110 (the library lets parse errors of any kind through)
            pass
        else:
            return wanted["webhook-id"]
    raise InvalidSignature(
        "The signature, the timestamp or the body of this webhook is not what Polar sent. Check"
        " POLAR_WEBHOOK_SECRET."
    )
