"""Toasts in answers to htmx: the event ``toast`` in the ``HX-Trigger`` header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django_htmx.http import trigger_client_event


@dataclass(frozen=True, slots=True)
class Toast:
    """``level`` is info, success, warning or error."""

    level: str
    text: str
    action_url: str | None = None
    action_text: str | None = None

    def document(self) -> dict[str, str]:
        shown = {"level": self.level, "text": self.text}
        if self.action_url:
            shown |= {"actionUrl": self.action_url, "actionText": self.action_text or "Open"}
        return shown


def show(response: HttpResponse, toasts: Sequence[Toast]) -> HttpResponse:
    """Have htmx show ``toasts``."""
    if toasts:
        trigger_client_event(response, "toast", {"toasts": [t.document() for t in toasts]})
    return response
