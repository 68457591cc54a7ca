"""Which gateways there are, and which one takes new payments."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from markethall.foundation.payments.errors import UnknownGateway
from markethall.foundation.payments.gateways.base import Gateway
from markethall.foundation.payments.gateways.sandbox.gateway import SandboxGateway
from markethall.foundation.payments.models import Payment

_GATEWAYS: dict[str, type[Gateway]] = {"sandbox": SandboxGateway}


def current() -> Gateway:
    """The gateway that new payments go to, by setting."""
    return named(settings.ENVIRONMENT.payment_gateway)


@cache
def named(name: str) -> Gateway:
    """A gateway by name, as stored payments and webhook addresses carry it.

    Raises UnknownGateway.
    """
    if name not in _GATEWAYS:
        raise UnknownGateway(f"There is no gateway called {name!r} here.")
    return _GATEWAYS[name]()


def in_use() -> list[str]:
    """The names of the gateway that takes new payments, and of every one that stored payments
    name: the latter may be gone from the settings."""
    stored = Payment.objects.order_by("gateway").values_list("gateway", flat=True).distinct()
    return sorted({settings.ENVIRONMENT.payment_gateway, *stored})
