"""Postmark: https://postmarkapp.com/developer"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import requests
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from django.conf import settings
from django.http import HttpRequest

from markethall.foundation.messaging.vendors.base import Failure, News, Verdict
from markethall.foundation.messaging.vendors.vendor_api import VendorApi, view_of

# Error codes that the operator mends: the token, the sender, the account's approval.
_OURS = {10, 100, 400, 401, 405, 412, 413, 701}
# Bounces after which Postmark does not write to the address any more.
_HARD = {"HardBounce", "BadEmailAddress", "SpamNotification", "SpamComplaint"}


class Postmark(VendorApi):
    """Webhooks are not signed: they show a user and password, which is why the endpoint needs
    https. Mails handed over twice go out twice."""

    name = "postmark"
    title = "Postmark"
    probe_path = "/server"

    def judge(self, answer: requests.Response, text: str) -> Failure:
        if answer.status_code == 422 and _error_code(answer) in _OURS:
            return Failure(Verdict.AGAIN, text)
        return super().judge(answer, text)

    def tracking_view(self) -> Any | None:
        secret = settings.ENVIRONMENT.postmark_webhook_secret
        return view_of(PostmarkTrackingWebhookView, webhook_secret=[secret]) if secret else None

    def event_id(self, event: Any, request: HttpRequest) -> str:
        # Only bounces bear an id; a repeated delivery has the same body.
        return hashlib.sha256(request.body).hexdigest()

    def event_type(self, event: Any) -> str:
        told = event.esp_event
        return ".".join(str(told[part]) for part in ("RecordType", "Type") if told.get(part))

    def news(self, event: Any) -> News:
        # A soft bounce is the end of this try, not of the mail.
        if event.esp_event.get("Type") == "SoftBounce":
            return News.DEFERRED
        return super().news(event)

    def is_hard(self, event: Any) -> bool:
        told = event.esp_event
        if told.get("RecordType") == "SubscriptionChange":
            reason = told.get("SuppressionReason")
            return bool(told["SuppressSending"]) and reason in {"HardBounce", "SpamComplaint"}
        return told.get("Type") in _HARD

    def headers(self) -> Mapping[str, str]:
        return {
            "X-Postmark-Server-Token": str(settings.ANYMAIL["POSTMARK_SERVER_TOKEN"]),
            "Accept": "application/json",
        }

    def found(self, document: Any) -> str:
        return f"Postmark knows the token of server {document.get('Name', '')!r}"

    def forgive(self, address: str) -> str:
        stream = settings.ANYMAIL["POSTMARK_MESSAGE_STREAM"]
        body = {"Suppressions": [{"EmailAddress": address}]}
        answer = self.call("POST", f"/message-streams/{stream}/suppressions/delete", body)
        outcome = (answer.json().get("Suppressions") or [{}])[0]
        return f"Postmark's own list: {outcome.get('Message') or outcome.get('Status', '')}"


def _error_code(answer: requests.Response) -> int:
    try:
        return int(answer.json()["ErrorCode"])
    except (ValueError, KeyError, TypeError):
        return 0
