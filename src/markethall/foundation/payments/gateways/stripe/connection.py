"""The client of Stripe's API, and its errors in our words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import structlog
from django.conf import settings

import stripe
from markethall.foundation.payments.errors import GatewayRefused, GatewayUnavailable

# The version that this SDK was made for; said in every call and asked of every webhook.
API_VERSION = stripe.api_version or ""
_TIMEOUT = (5.0, 25.0)  # seconds to connect, to answer
_RETRIES = 2
_BUSY = {409, 429}

log = structlog.get_logger(__name__)


@cache
def client() -> stripe.StripeClient:
    """The client, made once a process. The SDK keeps a connection for each thread."""
    environment = settings.ENVIRONMENT
    # Below warnings the SDK writes bodies, which hold client secrets and addresses.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    return stripe.StripeClient(
        environment.stripe_secret_key or "",
        stripe_version=API_VERSION,
        base_addresses={"api": environment.stripe_api_base.rstrip("/")},
        max_network_retries=_RETRIES,
        http_client=stripe.RequestsClient(timeout=_TIMEOUT),
    )


def keyed(key: str) -> stripe.RequestOptions:
    """The options of a write that moves once per ``key``."""
    return {"idempotency_key": key}


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Raise GatewayRefused and GatewayUnavailable for what the SDK raises."""
    try:
        yield
    except stripe.CardError as error:
        raise GatewayRefused(_said(error)) from None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # A fault of the settings: nothing of the customer's is refused for it.
        _warn(what, error)
        raise GatewayUnavailable("Stripe does not accept the shop's key.") from None
    except stripe.IdempotencyError as error:
        _warn(what, error)
        raise GatewayRefused("Stripe has been asked for something else with this key.") from None
    except stripe.InvalidRequestError as error:
        if error.http_status in _BUSY:
            raise GatewayUnavailable(
                "Stripe is busy with this. Try again in a moment.", retry_after=_asked(error)
            ) from None
        _warn(what, error)
        raise GatewayRefused(_said(error)) from None
    except stripe.StripeError as error:
        _warn(what, error)
        raise GatewayUnavailable(
            "Stripe does not answer. Try again in a moment.", retry_after=_asked(error)
        ) from None


def is_missing(error: stripe.InvalidRequestError) -> bool:
    """Whether Stripe says that there is no such thing."""
    return error.code == "resource_missing"


def _asked(error: stripe.StripeError) -> int | None:
    """The seconds that Stripe asks to wait for."""
    asked = str((error.headers or {}).get("Retry-After", ""))
    return int(asked) if asked.isdecimal() else None


def _said(error: stripe.StripeError) -> str:
    return (error.user_message or "Stripe refuses this.")[:255]


def _warn(what: str, error: stripe.StripeError) -> None:
    log.warning(
        "stripe refused a call",
        call=what,
        kind=type(error).__name__,
        code=error.code,
        http_status=error.http_status,
        gateway_request=error.request_id,
    )
