"""The API's own document turned into requests, and what every answer to them must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from house.people import client_for, make_user
from house.things import undone
from markethall.config.wsgi import application
from markethall.interfaces.api.document import openapi_document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def document(*, boundaries: bool) -> Any:
    """The document as schemathesis reads it; with ``boundaries``, each field's limits are tried
    beside what is drawn by chance: some thirty requests an endpoint."""
    hall = schemathesis.openapi.from_dict(openapi_document())
    hall.app = application
    hall.config.phases.coverage.enabled = boundaries
    return hall


def examples(number: int) -> settings:
    """So many requests an endpoint, valid and invalid ones, the same in every run."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def kept_connection() -> Iterator[None]:
    """A real server checks its connection around each request; a test keeps its transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def try_out(case: Any, things: dict[str, Any], roles: tuple[str, ...]) -> None:
    """Send ``case`` as nobody, as the owner of all things and as people of ``roles``: as it was
    made, and about things that exist."""
    people = [things["owner"], *(make_user(role=role) for role in roles)]
    callers = [{}, *({"Authorization": f"Bearer {client_for(who).token}"} for who in people)]
    made = dict(case.path_parameters or {})
    known = {name: str(things[name]) for name in made if name in things}
    for headers in callers:
        for path in [made, {**made, **known}] if known else [made]:
            case.path_parameters = path
            with kept_connection(), undone():
                response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS, headers=headers)
