"""What every request passes: its context, its security headers, and problems as pages."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.contrib.messages import get_messages
from django.core.exceptions import DisallowedHost
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import is_valid_path

from markethall.foundation.audit.actions import current_ip
from markethall.foundation.files.storage.registry import link_origins
from markethall.interfaces.web import errors, toasts
from markethall.kernel.errors import MethodNotAllowed, Problem

log = structlog.get_logger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]

# A form may lead on to a payment gateway or to a provider that signs people in.
_FORM_ACTION = " ".join(
    (
        "form-action 'self'",
        *(["https:"] if not settings.SANDBOX or settings.SOCIALACCOUNT_PROVIDERS else []),
        *([settings.ENVIRONMENT.oidc_issuer] if settings.ENVIRONMENT.oidc_issuer else []),
    )
)


def _policy() -> str:
    pictures = ("'self'", "data:", "blob:", *link_origins())
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src {' '.join(pictures)}",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            _FORM_ACTION,
        )
    )


class RequestContext:
    """Give the request an id and its network address, for logs and the audit log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        address = client_address(request)
        token = current_ip.set(address)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            current_ip.reset(token)
            structlog.contextvars.clear_contextvars()
        response.headers["X-Request-Id"] = request_id
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        """Let every line of the log name what the request is about."""
        named = {name: str(value) for name, value in kwargs.items() if name.endswith("_id")}
        structlog.contextvars.bind_contextvars(**named)


class RequestLog:
    """One line for each request: its route, not its address, which may hold a key."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = f"/{match.route}" if match else "none"
        log_request(request.method, route, response.status_code, time.perf_counter() - began)
        return response


def log_request(method: str | None, route: str, status: int, seconds: float, **more: str) -> None:
    """The line about a request that was answered after ``seconds``."""
    ms = round(seconds * 1000, 1)
    log.info("request", method=method, route=route, status=status, ms=ms, **more)


class KnownHost:
    """Requests for a host name that is not ours end here, with a line in the log; probes pass."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in settings.PROBES:
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost:
            log.warning("unknown host", host=request.META.get("HTTP_HOST", "")[:100])
            return errors.problem_response(
                errors.UnknownHost("Ask for the address that SITE_URL or ALLOWED_HOSTS names.")
            )
        return self.get_response(request)


class ContentSecurityPolicy:
    """Nothing from elsewhere, nothing inline; pictures also from where our files lie."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.policy = _policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
        )
        return response


class Private:
    """What no view has said otherwise about is for its reader alone, and kept nowhere."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class Problems:
    """A problem raised by a page becomes an error page that says what to do.

    A page's address with a slash too many at its end leads to the page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path:
            # No text in the database can hold it.
            return errors.not_found(request, Exception())
        if _holds_nul(request):
            return errors.bad_request(request, Exception())
        response = self.get_response(request)
        if response.status_code == 404 and _is_page_but_for_slash(request):
            query = request.META.get("QUERY_STRING", "")
            return HttpResponsePermanentRedirect(
                request.path.rstrip("/") + (f"?{query}" if query else "")
            )
        if response.status_code == 405 and request.path.startswith("/api/"):
            allow = {"Allow": response.headers.get("Allow", "")}
            return errors.problem_response(MethodNotAllowed(headers=allow))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DataError) and "NUL" in str(error):
            # Of a form with files, whose fields nobody has read before its view.
            return errors.bad_request(request, error)
        if not isinstance(error, Problem):
            return None
        response = errors.problem_page(request, error)
        for name, value in error.headers.items():
            response.headers[name] = value
        return response


class MessageToasts:
    """Messages left by an htmx request are shown as toasts with its answer.

    Those of an answer that leads to another page wait for that page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        leads_on = response.status_code in range(300, 400) or any(
            name in response.headers for name in ("HX-Redirect", "HX-Refresh", "HX-Location")
        )
        if request.headers.get("HX-Request") and not leads_on:
            told = [toasts.Toast(m.level_tag, str(m)) for m in get_messages(request)]
            toasts.show(response, told)
        return response


def _holds_nul(request: HttpRequest) -> bool:
    """Whether a form has a character that no text in the database can hold. Browsers send none;
    documents and uploads are looked at where they are read."""
    if request.content_type != "application/x-www-form-urlencoded":
        return False
    return b"%00" in request.body or b"\x00" in request.body


def _is_page_but_for_slash(request: HttpRequest) -> bool:
    if request.resolver_match or request.method not in {"GET", "HEAD"}:
        return False
    if not request.path.endswith("/") or request.path.startswith("/api/"):
        return False
    return is_valid_path(request.path_info.rstrip("/"))


def client_address(request: HttpRequest) -> str | None:
    """The caller's network address; behind proxies, what the outermost trusted one wrote."""
    proxies = settings.ENVIRONMENT.trusted_proxies
    if proxies:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= proxies:
            return hops[-proxies].strip() or None
    return request.META.get("REMOTE_ADDR") or None
