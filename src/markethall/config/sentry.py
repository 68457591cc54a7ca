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


def probe(environment: Environment) -> str:
    """Send one report; returns what was found. Raises OSError when it is not taken."""
    import uuid

    import requests
    from sentry_sdk.envelope import Envelope
    from sentry_sdk.utils import Dsn

    auth = Dsn(environment.sentry_dsn or "").to_auth(f"markethall/{__version__}")
    envelope = Envelope({"event_id": uuid.uuid4().hex})
    message = {"message": "The doctor of Markethall looks in.", "level": "info"}
    envelope.add_event({"event_id": envelope.headers["event_id"], "platform": "python", **message})
    kind = "application/x-sentry-envelope"
    headers = {"Content-Type": kind, "X-Sentry-Auth": auth.to_header()}
    try:
        answer = requests.post(
            auth.get_api_url(), data=envelope.serialize(), headers=headers, timeout=10
        )
    except requests.RequestException as error:
        raise OSError(f"{auth.host} cannot be reached ({type(error).__name__})") from error
    if not answer.ok:
        said = answer.headers.get("X-Sentry-Error") or answer.text[:200]
        raise OSError(f"{auth.host} answers {answer.status_code}: {said}")
    return f"{auth.host} took a report of level info for project {auth.project_id}"


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
