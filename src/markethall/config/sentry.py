"""Error reports to Sentry, when ``SENTRY_DSN`` names one: without bodies, cookies, local variables
or anything else that is secret or personal."""

from __future__ import annotations

import sys
from typing import Any

from markethall import __version__
from markethall.config.environment import Environment
from markethall.config.redaction import redactor

# What of a request helps to find a fault, and tells nothing of the person.
_HEADERS = {"accept", "content-length", "content-type", "host", "user-agent", "x-storefront"}


def start(environment: Environment) -> None:
    """Report faults from now on; does nothing without a DSN."""
    if not environment.sentry_dsn:
        return
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    redact = redactor(environment).tree

    def clean(event: Any, hint: Any) -> Any:
        _tell_of_log(event, getattr(hint.get("log_record"), "msg", None))
        _strip_request(event.get("request", {}))
        event.pop("user", None)
        return redact(event)

    sentry_sdk.init(
        dsn=environment.sentry_dsn,
        environment=environment.markethall_env,
        release=f"markethall@{__version__}",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        traces_sample_rate=environment.sentry_traces,
        integrations=[DjangoIntegration()],
        auto_enabling_integrations=False,
        before_send=clean,
        before_send_transaction=clean,
    )


def _tell_of_log(event: Any, told: Any) -> None:
    """structlog hands a record over as a mapping: its event, what was bound to it, its fault."""
    if not isinstance(told, dict):
        return
    from sentry_sdk import get_client
    from sentry_sdk.utils import event_from_exception

    event["logentry"] = {"message": str(told.get("event", ""))}
    event["tags"] = {
        name: str(value)
        for name, value in told.items()
        if name in {"job", "task", "request_id"} or name.endswith("_id")
    }
    fault = told.get("exc_info")
    fault = fault if isinstance(fault, BaseException) else fault and sys.exc_info()[1]
    if fault:
        found, _ = event_from_exception(fault, client_options=get_client().options)
        event["exception"] = found["exception"]


def _strip_request(request: Any) -> None:
    for name in ("cookies", "data", "env", "query_string"):
        request.pop(name, None)
    headers = request.get("headers", {})
    request["headers"] = {k: v for k, v in headers.items() if k.lower() in _HEADERS}
