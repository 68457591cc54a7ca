"""Twilio SendGrid: https://www.twilio.com/docs/sendgrid"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from anymail.exceptions import AnymailNotSupportedWarning
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.utils import timezone

from markethall.foundation.messaging.errors import CarrierUnwell, InvalidWebhook
from markethall.foundation.messaging.vendors.base import Ticket
from markethall.foundation.messaging.vendors.vendor_api import VendorApi, header, view_of

# Said once in the guide; not with every mail.
warnings.filterwarnings("ignore", category=AnymailNotSupportedWarning)

# A webhook is tried again for a day, and one event is stored once for good: an old one does no
# harm, but none is older than this.
_OLDEST = timedelta(hours=25)
_YOUNGEST = timedelta(minutes=-5)
# Its own word for addresses it does not write to any more.
_DROPPED_FOR_GOOD = {"bounced address", "spam reporting address", "invalid"}


class SendGrid(VendorApi):
    """Webhooks are signed with a key of which we know the public half. Mails handed over twice go
    out twice."""

    name = "sendgrid"
    title = "SendGrid"
    probe_path = "/scopes"

    def label(self, message: EmailMultiAlternatives, ticket: Ticket, template: str) -> None:
        super().label(message, ticket, template)
        # With the reader, where SendGrid's description has an object; for the whole, a text.
        known = vars(message).pop("metadata")
        vars(message).update(esp_extra={"personalizations": {"custom_args": known}})

    def tracking_view(self) -> Any | None:
        key = settings.ENVIRONMENT.sendgrid_webhook_key
        if not key:
            return None
        return view_of(SendGridTrackingWebhookView, tracking_webhook_verification_key=key)

    def check_age(self, request: HttpRequest) -> None:
        signed_at = header(request, "X-Twilio-Email-Event-Webhook-Timestamp")
        if not signed_at.isdecimal() or len(signed_at) > 12:
            raise InvalidWebhook
        age = timedelta(seconds=timezone.now().timestamp() - int(signed_at))
        if not _YOUNGEST <= age <= _OLDEST:
            raise InvalidWebhook("This webhook is too old.")

    def event_type(self, event: Any) -> str:
        return str(event.esp_event["event"])

    def is_hard(self, event: Any) -> bool:
        told = event.esp_event
        if told["event"] == "bounce":
            # "blocked" is a refusal of this mail, not the end of the address.
            return bool(told.get("type", "bounce") == "bounce")
        if told["event"] == "dropped":
            return str(told.get("reason", "")).lower() in _DROPPED_FOR_GOOD
        return False

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {settings.ANYMAIL['SENDGRID_API_KEY']}"}

    def found(self, document: Any) -> str:
        scopes = document.get("scopes", [])
        if "mail.send" not in scopes:
            raise CarrierUnwell("SendGrid knows the key, but it may not send: give it mail.send.")
        return "SendGrid knows the key, and it may send"

    def forgive(self, address: str) -> str:
        for group in ("bounces", "blocks", "spam_reports", "invalid_emails"):
            try:
                self.call("DELETE", f"/suppression/{group}/{quote(address)}")
            except CarrierUnwell as error:
                if "answers 404" not in str(error):
                    raise
        return "SendGrid's own list has let the address go."
