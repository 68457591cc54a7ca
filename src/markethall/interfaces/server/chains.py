"""Two chains of middleware before the same views: browsers need the long one, programs do not.

A program shows a bearer token or signs its webhook. It has no session, no cookie to forge, no
page to frame; passing through what guards those costs a request a third of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.urls import ResolverMatch, get_resolver

Start = Callable[..., Any]
WEBHOOKS = "/api/webhooks/"
# For staff, who may come with a session.
EVENTS = "/api/webhooks/events"
# The areas whose endpoints look at nothing but the token.
AREAS = (
    WEBHOOKS,
    "/api/images",
    "/api/cart",
    "/api/checkout",
    "/api/credits/",
    "/api/payments/",
    "/api/orders",
)


class ProgramHandler(WSGIHandler):
    """Django's handler with ``PROGRAM_MIDDLEWARE`` for ``MIDDLEWARE``."""

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        match = _view_of(request.path_info)
        request.resolver_match = match
        return match

    def load_middleware(self, is_async: bool = False) -> None:
        full = settings.MIDDLEWARE
        settings.MIDDLEWARE = settings.PROGRAM_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = full


@lru_cache(maxsize=1024)
def _view_of(path: str) -> ResolverMatch:
    """What Django finds by trying the pattern of every page and endpoint, one after the other."""
    return get_resolver().resolve(path)


class Chains:
    """The WSGI application: picks the chain by the request."""

    def __init__(self) -> None:
        self._browsers = WSGIHandler()
        self._programs = ProgramHandler()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        handler = self._programs if is_of_a_program(environ) else self._browsers
        return handler(environ, start_response)


def is_of_a_program(environ: dict[str, Any]) -> bool:
    """Whether a request is a probe or a webhook, or of an area for programs with a bearer token."""
    path = environ["PATH_INFO"]
    if path in settings.PROBES:
        return True
    if not path.startswith(AREAS):
        return False
    shows_token = environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
    is_webhook = path.startswith(WEBHOOKS) and not path.startswith(EVENTS)
    return shows_token or (is_webhook and environ["REQUEST_METHOD"] == "POST")
