"""Which gateways there are, and which one takes new payments."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from django.conf import settings

from markethall.foundation.payments.errors import UnknownGateway
from markethall.foundation.payments.gateways.base import Gateway
from markethall.foundation.payments.models import Payment

# Where each is: it is loaded, with its SDK, when it is asked for.
_HERE = "markethall.foundation.payments.gateways"
_GATEWAYS = {
    "sandbox": (f"{_HERE}.sandbox.gateway", "SandboxGateway"),
    "stripe": (f"{_HERE}.stripe.gateway", "StripeGateway"),
    "polar": (f"{_HERE}.polar.gateway", "PolarGateway"),
}


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
    module, gateway = _GATEWAYS[name]
    made: Gateway = getattr(import_module(module), gateway)()
    return made


def in_use() -> list[str]:
    """The names of the gateway that takes new payments, and of every one that stored payments
    name: the latter may be gone from the settings."""
    stored = Payment.objects.order_by("gateway").values_list("gateway", flat=True).distinct()
    return sorted({settings.ENVIRONMENT.payment_gateway, *stored})
