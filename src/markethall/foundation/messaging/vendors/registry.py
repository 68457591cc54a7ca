"""Which carriers there are. A vendor's client is loaded when it is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from django.conf import settings

from markethall.foundation.messaging.errors import UnknownCarrier
from markethall.foundation.messaging.vendors.base import Carrier
from markethall.foundation.messaging.vendors.local import Local
from markethall.foundation.messaging.vendors.smtp import Smtp

# Those that tell by webhook what became of a mail.
VENDORS = {"resend": "Resend", "sendgrid": "SendGrid", "postmark": "Postmark"}


def current() -> Carrier:
    """Who carries the mails, by setting."""
    return named(settings.ENVIRONMENT.mail_backend)


@cache
def named(name: str) -> Carrier:
    """A carrier by name. Raises UnknownCarrier."""
    if name in VENDORS:
        module = import_module(f"markethall.foundation.messaging.vendors.{name}")
        return cast(Carrier, getattr(module, VENDORS[name])())
    if name == "smtp":
        return Smtp()
    if name in {"outbox", "console"}:
        return Local(name)
    raise UnknownCarrier(f"Nobody called {name!r} carries mails here.")
