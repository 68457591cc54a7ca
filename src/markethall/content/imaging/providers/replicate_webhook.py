"""Replicate's webhooks: Standard Webhooks, signed with one secret an account.

Without Replicate's SDK, which a web process need not load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings
from standardwebhooks import Webhook

from markethall.content.imaging.errors import BadWebhook

_ENDED = {"succeeded", "failed", "canceled", "aborted"}
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def ended_prediction(headers: Mapping[str, str], body: bytes) -> str:
    """The id of the prediction that has ended; empty when the webhook tells of something else.

    Raises BadWebhook unless it is signed by Replicate within the last five minutes.
    """
    secret = settings.ENVIRONMENT.replicate_webhook_secret
    if not secret:
        raise BadWebhook("No webhooks are expected here: REPLICATE_WEBHOOK_SECRET is not set.")
    wanted = {name: headers.get(name, "") for name in _HEADERS}
    try:
        _verifier(secret).verify(body, wanted, json_parse=False)
        prediction = json.loads(body)
    except Exception as error:  # the library lets parse errors of any kind through
        raise BadWebhook(
            "The signature, the timestamp or the body is not what Replicate sent. Check"
            " REPLICATE_WEBHOOK_SECRET."
        ) from error
    if not isinstance(prediction, dict) or prediction.get("status") not in _ENDED:
        return ""
    return str(prediction.get("id") or "")[:64].replace("\x00", "")


@lru_cache(maxsize=2)
def _verifier(secret: str) -> Webhook:
    return Webhook(secret)
