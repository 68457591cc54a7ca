"""Resend: https://resend.com/docs"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from anymail.webhooks.resend import ResendTrackingWebhookView
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest

from markethall.foundation.messaging.errors import CarrierUnwell
from markethall.foundation.messaging.vendors.base import Failure, News, Ticket, Verdict
from markethall.foundation.messaging.vendors.vendor_api import VendorApi, header, view_of

# Event types that are younger than anymail's table.
_YOUNGER = {"email.failed": News.REJECTED, "email.suppressed": News.REJECTED}


class Resend(VendorApi):
    """Webhooks are signed by Svix and refused when older than five minutes."""

    name = "resend"
    title = "Resend"
    repeats_safely = True
    probe_path = "/domains"

    def label(self, message: EmailMultiAlternatives, ticket: Ticket, template: str) -> None:
        super().label(message, ticket, template)
        # Tags would travel as a header that the reader sees.
        vars(message).update(tags=[], esp_extra={"idempotency_key": ticket.key})

    def judge(self, answer: requests.Response, text: str) -> Failure:
        if answer.status_code == 409:
            # concurrent_idempotent_requests: the same mail is on its way just now.
            twin = "concurrent_idempotent_requests" in answer.text
            return Failure(Verdict.AGAIN if twin else Verdict.NEVER, text)
        return super().judge(answer, text)

    def tracking_view(self) -> Any | None:
        secret = settings.ENVIRONMENT.resend_webhook_secret
        return view_of(ResendTrackingWebhookView, signing_secret=secret) if secret else None

    def event_id(self, event: Any, request: HttpRequest) -> str:
        return header(request, "svix-id") or header(request, "webhook-id")

    def event_type(self, event: Any) -> str:
        return str(event.esp_event["type"])

    def news(self, event: Any) -> News:
        return _YOUNGER.get(self.event_type(event)) or super().news(event)

    def is_hard(self, event: Any) -> bool:
        if self.event_type(event) == "email.suppressed":
            return True
        bounce = event.esp_event["data"].get("bounce") or {}
        return str(bounce.get("type", "")).lower() == "permanent"

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {settings.ANYMAIL['RESEND_API_KEY']}"}

    def probe(self) -> str:
        try:
            return super().probe()
        except CarrierUnwell as error:
            if "restricted_api_key" in str(error):
                return "Resend knows the key, which may only send"
            raise

    def found(self, document: Any) -> str:
        domains = [f"{item['name']} ({item['status']})" for item in document.get("data", [])]
        return f"Resend knows the key; domains: {', '.join(domains) or 'none'}"
