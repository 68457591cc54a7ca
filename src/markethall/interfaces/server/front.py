"""The ASGI application of the one port: live connections and the webhooks of payment gateways
here, all else in worker threads.

A fixed set of threads runs the WSGI application, so that each keeps its database connection.
``docs/adr/0002-one-port.md`` has the figures behind this shape.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.conf import settings

from markethall.interfaces.server.intake import MAX_BODY as MAX_WEBHOOK
from markethall.interfaces.server.intake import PATHS, Intake

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

LIVE_PATH = "/api/live"
MAX_BODY: int = settings.MAX_REQUEST_BYTES
_IN_MEMORY = 256 * 1024  # bytes; a larger body waits in a temporary file
_SENT_WHOLE = 1024 * 1024  # bytes; a larger answer is streamed
_BODILESS = (204, 304)  # statuses whose answers have no body, and no length


class BodyTooLarge(Exception):
    """The request's body is over ``MAX_BODY``."""


class ClientGone(Exception):
    """The client left before its request was complete."""


class Front:
    """Splits live connections and webhooks from pages and API."""

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        live: Any,
        *,
        threads: int,
        intake: Intake | None = None,
    ) -> None:
        self._wsgi = wsgi
        self._live = live
        self._intake = intake
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live.lifespan(receive, send)
        elif scope["type"] == "websocket" or scope["path"] == LIVE_PATH:
            await self._live(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            try:
                await _read_body(scope, receive, body)
            except BodyTooLarge:
                await _refuse_body(send)
                return
            except ClientGone:
                return
            if await self._taken_in(scope, body, send):
                return
            answer = _Answer(asyncio.get_running_loop(), send)
            run = asyncio.get_running_loop().run_in_executor
            last = await run(self._threads, answer.run, self._wsgi, _environ(scope, body))
            for message in last:
                await send(message)

    async def _taken_in(self, scope: Scope, body: IO[bytes], send: Send) -> bool:
        """Whether this was a webhook that is stored and answered."""
        if self._intake is None or scope["path"] not in PATHS or body.tell() > MAX_WEBHOOK:
            return False
        body.seek(0)
        return await self._intake.answer(scope, body.read(), send)


class _Answer:
    """Runs the WSGI application in a worker thread and turns its answer into ASGI messages."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        self._loop = loop
        self._send = send
        self._start: Message = {}

    def run(self, wsgi: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> list[Message]:
        """The messages that are left to send: all of them, unless the answer is streamed."""
        result = wsgi(environ, self._start_response)
        try:
            if self._is_long(result):
                self._stream(result)
                return [{"type": "http.response.body", "body": b""}]
            return self._whole(b"".join(result))
        finally:
            close = getattr(result, "close", None)
            if close:
                close()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> None:
        self._start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers],
        }

    def _whole(self, body: bytes) -> list[Message]:
        """The answer with its length, where nobody has named it: without, it would go in chunks."""
        headers: list[Header] = self._start["headers"]
        has_body = self._start["status"] not in _BODILESS
        if has_body and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", str(len(body)).encode()))
        return [self._start, {"type": "http.response.body", "body": body}]

    def _is_long(self, result: Iterable[bytes]) -> bool:
        if not getattr(result, "streaming", False):
            return False
        length = dict(self._start["headers"]).get(b"content-length")
        return length is None or int(length) > _SENT_WHOLE

    def _stream(self, result: Iterable[bytes]) -> None:
        self._send_and_wait(self._start)
        for chunk in result:
            self._send_and_wait({"type": "http.response.body", "body": chunk, "more_body": True})

    def _send_and_wait(self, message: Message) -> None:
        async def send() -> None:
            await self._send(message)

        asyncio.run_coroutine_threadsafe(send(), self._loop).result()


async def _read_body(scope: Scope, receive: Receive, body: IO[bytes]) -> None:
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise BodyTooLarge
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise BodyTooLarge
        body.write(chunk)
        if not message.get("more_body"):
            return


async def _refuse_body(send: Send) -> None:
    document = {
        "type": "/api/docs/problems#payload_too_large",
        "title": "This is more than is accepted here",
        "status": 413,
        "code": "payload_too_large",
        "detail": f"A request has at most {MAX_BODY // 1024 // 1024} MB.",
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


def _environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI scope."""
    host, port = scope.get("server") or ("localhost", 80)
    size = body.seek(0, 2)
    body.seek(0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue  # an underscore would pose as the header with a hyphen
        name = "HTTP_" + raw_name.decode("latin-1").upper().replace("-", "_")
        value = raw_value.decode("latin-1")
        if name in environ:
            value = f"{environ[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{value}"
        environ[name] = value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ
