"""Webhooks of payment gateways, taken in on the event loop: those that arrive while others are
being stored are stored together, by one statement.

Only what is in order is answered here. All else, a signature that does not hold or a database
that does not answer, goes on to the views, which say what is wrong.
"""

from __future__ import annotations

import asyncio
import io
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import structlog
from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.utils.datastructures import CaseInsensitiveMapping

from markethall.foundation.payments import inbox
from markethall.foundation.payments.inbox import Arrival
from markethall.interfaces.web.metrics import count_request
from markethall.interfaces.web.middleware import log_request

Header = tuple[bytes, bytes]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATHS = {f"/api/webhooks/{name}": name for name in ("sandbox", "stripe", "polar")}
MAX_BODY = 64 * 1024  # bytes; a larger one would hold up the event loop
_TOGETHER = 100  # webhooks in one statement
_TAKEN = b'{"received": true}'

log = structlog.get_logger(__name__)


class Intake:
    """Answers webhooks, each once it is stored and committed."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._waiting: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def answer(self, scope: MutableMapping[str, Any], body: bytes, send: Send) -> bool:
        """Whether the webhook is stored, and answered."""
        began = time.perf_counter()
        headers = _headers(scope)
        answer = _answer(
            scope["path"],
            scope["scheme"],
            headers.get("host", ""),
            headers.get("x-forwarded-proto", ""),
            headers.get("origin", ""),
        )
        if scope["method"] != "POST" or answer is None:
            return False
        try:
            arrival = inbox.verified(PATHS[scope["path"]], CaseInsensitiveMapping(headers), body)
        except Exception:
            return False  # the view refuses it
        if not await self._stored(arrival):
            return False
        _note(scope["path"], time.perf_counter() - began, request_id := uuid.uuid4().hex)
        named = [*answer[0], (b"x-request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": named})
        await send({"type": "http.response.body", "body": answer[1]})
        return True

    async def _stored(self, arrival: Arrival) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_waiting())
        return await done

    async def _store_waiting(self) -> None:
        run = asyncio.get_running_loop().run_in_executor
        while self._waiting:
            batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            stored = True
            try:
                await run(self._thread, _store, [arrival for arrival, _ in batch])
            except Exception as error:
                log.warning("webhooks not stored together", events=len(batch), error=repr(error))
                stored = False
            for _, done in batch:
                if not done.done():
                    done.set_result(stored)
        self._storing = None


def _store(arrivals: Sequence[Arrival]) -> None:
    connection.close_if_unusable_or_obsolete()
    inbox.store(arrivals)


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The headers, those that came twice as one (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


@lru_cache(maxsize=256)
def _answer(
    path: str, scheme: str, host: str, forwarded: str, origin: str
) -> tuple[list[Header], bytes] | None:
    """Headers and body with which Django's guards let such a webhook be answered; None when they
    want something else said."""

    def taken(request: HttpRequest) -> HttpResponse:
        return HttpResponse(_TAKEN, content_type="application/json; charset=utf-8")

    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": host,
            "wsgi.url_scheme": scheme,
            "wsgi.input": io.BytesIO(),
            **({"HTTP_X_FORWARDED_PROTO": forwarded} if forwarded else {}),
            **({"HTTP_ORIGIN": origin} if origin else {}),
        }
    )
    try:
        request.get_host()
    except DisallowedHost:
        return None
    response = CorsMiddleware(SecurityMiddleware(taken))(request)
    if response.status_code != 200:
        return None
    headers = {**response.headers, "Content-Length": str(len(response.content))}
    return [(k.lower().encode(), v.encode()) for k, v in headers.items()], response.content


def _note(path: str, seconds: float, request_id: str) -> None:
    count_request("POST", path[1:], 200, seconds)
    if "markethall.interfaces.web.middleware.RequestLog" in settings.PROGRAM_MIDDLEWARE:
        log_request("POST", path, 200, seconds, request_id=request_id)
