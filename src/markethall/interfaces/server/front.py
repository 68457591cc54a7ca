from __future__ import annotations

from typing import Any

from a2wsgi import WSGIMiddleware
from django.conf import settings

LIVE_PATH = "/api/live"


class Front:
    """An ASGI application that splits live connections from everything else.

    Requests run in a fixed set of threads, so that each keeps its database connection.
    """

    def __init__(self, wsgi: Any, live: Any) -> None:
        self.live = live
        self.wsgi = WSGIMiddleware(wsgi, workers=settings.ENVIRONMENT.web_threads)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live.lifespan(receive, send)
        elif scope["type"] == "websocket" or scope["path"] == LIVE_PATH:
            await self.live(scope, receive, send)
        else:
            await self.wsgi(scope, receive, send)
