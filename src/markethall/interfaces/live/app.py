"""``/api/live``: server-sent events, and the same messages over WebSocket.

Written to ASGI itself: an idle connection is one coroutine and one queue, which is what lets a
process hold ten thousand of them.
"""

from __future__ import annotations

import asyncio
import json
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may
from markethall.foundation.accounts.tokens import authenticate_token
from markethall.interfaces.live.hub import Hub, Listener
from markethall.kernel.errors import MethodNotAllowed, Problem, Unauthenticated

KEEP_ALIVE = 25.0  # seconds; proxies drop connections that are silent for longer
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Live:
    """The ASGI application of live connections."""

    def __init__(self) -> None:
        self.hub = Hub()
        self._listening: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def lifespan(self, receive: Any, send: Any) -> None:
        """Start listening with the server and stop with it."""
        await receive()
        self._listening = asyncio.create_task(self.hub.listen())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._listening.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] != "GET":
            await _refuse(send, MethodNotAllowed(headers={"Allow": "GET"}))
            return
        user = await sync_to_async(_user_of, thread_sensitive=False)(scope)
        if scope["type"] == "websocket":
            await self._websocket(user, receive, send)
        elif user is None:
            await _refuse(send, Unauthenticated(headers={"WWW-Authenticate": "Bearer"}))
        else:
            await self._events(user, receive, send)

    async def _events(self, user: User, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send(_chunk(b"retry: 2000\n\n: open\n\n"))

        async def tell(text: str) -> None:
            await send(_chunk(f"event: update\ndata: {text}\n\n".encode()))

        async def keep_alive() -> None:
            await send(_chunk(b": still here\n\n"))

        await self._serve(user, receive, tell, keep_alive, "http.disconnect")

    async def _websocket(self, user: User | None, receive: Any, send: Any) -> None:
        await receive()
        if user is None:
            await send({"type": "websocket.close", "code": 4401})
            return
        await send({"type": "websocket.accept"})

        async def tell(text: str) -> None:
            await send({"type": "websocket.send", "text": text})

        async def keep_alive() -> None:
            await tell(json.dumps({"topic": "", "type": "keepalive"}))

        await self._serve(user, receive, tell, keep_alive, "websocket.disconnect")

    async def _serve(self, user: User, receive: Any, tell: Any, keep_alive: Any, end: str) -> None:
        listener = Listener(str(user.pk), may(user, Permission.CONSOLE))
        self.hub.join(listener)
        gone = asyncio.create_task(_until(receive, end))
        try:
            while not gone.done():
                message = asyncio.ensure_future(listener.waiting.get())
                await asyncio.wait(
                    {message, gone}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED
                )
                if message.done():
                    await tell(message.result())
                else:
                    message.cancel()
                    if not gone.done():
                        await keep_alive()
        except OSError:
            pass
        finally:
            gone.cancel()
            self.hub.leave(listener)


async def _until(receive: Any, end: str) -> None:
    while (await receive())["type"] != end:
        pass


async def _refuse(send: Any, problem: Problem) -> None:
    body = json.dumps(problem.document()).encode()
    headers = {"Content-Type": "application/problem+json", **problem.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _chunk(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _user_of(scope: Any) -> User | None:
    headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
    scheme, _, secret = headers.get("authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        token = authenticate_token(secret.strip())
        return token.user if token else None
    if scope["type"] == "websocket" and not _same_site(headers):
        return None
    cookies = SimpleCookie(headers.get("cookie", b"").decode("latin-1"))
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(request)
    return user if isinstance(user, User) else None


def _same_site(headers: dict[str, bytes]) -> bool:
    """A browser sends cookies with any site's WebSocket; only our own pages may open one."""
    origin = headers.get("origin", b"").decode("latin-1")
    host = headers.get("host", b"").decode("latin-1")
    return not origin or origin.split("://")[-1] == host


live = Live()
