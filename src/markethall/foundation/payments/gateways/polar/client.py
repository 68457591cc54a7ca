"""One call to Polar's API: what its errors mean, and what is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import structlog
from django.conf import settings
from polar.base import PolarClientError, PolarError, PolarRateLimitError
from polar.v2026_10 import Polar

from markethall.foundation.payments.errors import (
    GatewayRefused,
    GatewayUnavailable,
    PaymentMissing,
)

log = structlog.get_logger(__name__)
AnswerT = TypeVar("AnswerT")
_TIMEOUT = 15.0  # seconds
_TRIES = 3
_LONGEST_WAIT = 5  # seconds


@cache
def _client(token: str, base: str, organization: str | None) -> Polar:
    return Polar(token, base_url=base, timeout=_TIMEOUT, organization_id=organization)


def client() -> Polar:
    """The SDK's client with our settings. Raises GatewayRefused without a token."""
    environment = settings.ENVIRONMENT
    if not environment.polar_access_token:
        raise GatewayRefused("Set POLAR_ACCESS_TOKEN to talk to Polar.")
    return _client(
        environment.polar_access_token,
        environment.polar_api_base.rstrip("/"),
        environment.polar_organization_id,
    )


def read(act: Callable[[Polar], AnswerT]) -> AnswerT:
    """Run a call that changes nothing, or may be run twice: tried again when Polar fails.

    Raises GatewayUnavailable, GatewayRefused and PaymentMissing.
    """
    return _call(act, repeatable=True)


def write(act: Callable[[Polar], AnswerT]) -> AnswerT:
    """Run a call that must not happen twice: tried again only when Polar has refused to take it
    (429). Raises as ``read``; after GatewayUnavailable it may have happened: ask."""
    return _call(act, repeatable=False)


def _call(act: Callable[[Polar], AnswerT], *, repeatable: bool) -> AnswerT:
    polar = client()
    for attempt in range(1, _TRIES + 1):
        is_last = attempt == _TRIES
        try:
            return act(polar)
        except PolarRateLimitError as error:
            wait = error.retry_after or attempt
            if is_last or wait > _LONGEST_WAIT:
                raise GatewayUnavailable(
                    "Polar takes no more calls for a while.", retry_after=wait
                ) from error
            time.sleep(wait)
        except PolarClientError as error:
            raise _refusal(error) from error
        except (PolarError, ValueError) as error:
            # The network, a fault of theirs, or an answer that cannot be read.
            if is_last or not repeatable:
                log.warning(
                    "polar does not answer", kind=type(error).__name__, why=str(error)[:200]
                )
                raise GatewayUnavailable("Polar does not answer. Try again in a moment.") from error
            time.sleep(0.2 * 2**attempt * random.uniform(0.5, 1))  # noqa: S311 (jitter)
    raise GatewayUnavailable


def _refusal(error: PolarClientError) -> GatewayRefused | PaymentMissing:
    if error.status_code == 404:
        return PaymentMissing("Polar knows no such thing.")
    if error.status_code == 401:
        return GatewayRefused("Polar does not take our token. Check POLAR_ACCESS_TOKEN.")
    return GatewayRefused(f"Polar refused: {str(error.error)[:400]}")
