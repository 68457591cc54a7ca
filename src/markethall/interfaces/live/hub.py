"""One LISTEN a process, many listeners: who hears what."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog
from django.db import connection

from markethall.kernel.live import CHANNEL

log = structlog.get_logger(__name__)
_STAFF = "staff"


@dataclass(eq=False, slots=True)
class Listener:
    """An open page: whose it is, and the messages it has not been sent yet."""

    user_id: str
    is_staff: bool
    waiting: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(maxsize=64))


class Hub:
    """Passes the database's notifications on to the listeners they are for."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = defaultdict(set)

    def join(self, listener: Listener) -> None:
        for group in _groups(listener):
            self._listeners[group].add(listener)

    def leave(self, listener: Listener) -> None:
        for group in _groups(listener):
            self._listeners[group].discard(listener)
            if not self._listeners[group]:
                del self._listeners[group]

    def deliver(self, payload: str) -> None:
        """Queue a message for its listeners. One that does not keep up misses it: a page asks
        for the state anyway, and its next message makes it ask again."""
        message: dict[str, Any] = json.loads(payload)
        text = json.dumps({"topic": message["topic"], "type": message["type"]})
        group = message["user"] or _STAFF
        for listener in self._listeners.get(group, ()):
            if not listener.waiting.full():
                listener.waiting.put_nowait(text)

    async def listen(self) -> None:
        """Listen until cancelled; reconnects when the database went away."""
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                log.warning("live updates wait for the database", error=str(error))
                await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        parameters = {
            key: value
            for key, value in connection.get_connection_params().items()
            if key not in {"cursor_factory", "context", "prepare_threshold"}
        }
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as db:
            await db.execute(f"LISTEN {CHANNEL}")
            async for notification in db.notifies():
                self.deliver(notification.payload)


def _groups(listener: Listener) -> list[str]:
    return [listener.user_id, _STAFF] if listener.is_staff else [listener.user_id]
