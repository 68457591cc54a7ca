"""anymail's Resend backend, with the idempotency key that Resend honours for a day."""

from __future__ import annotations

from typing import Any

from anymail.backends.resend import EmailBackend as AnymailBackend
from anymail.backends.resend import ResendPayload


class Payload(ResendPayload):  # type: ignore[misc]
    """Takes ``esp_extra["idempotency_key"]`` into the HTTP header of that name."""

    def set_esp_extra(self, extra: dict[str, Any]) -> None:
        rest = dict(extra)
        key = rest.pop("idempotency_key", None)
        if key:
            self.headers["Idempotency-Key"] = key
        super().set_esp_extra(rest)


class EmailBackend(AnymailBackend):  # type: ignore[misc]
    """Django's ``EMAIL_BACKEND`` for ``MAIL_BACKEND=resend``."""

    def build_message_payload(self, message: Any, defaults: Any) -> Payload:
        return Payload(message, defaults, self)
