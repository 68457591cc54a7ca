"""A cheap load generator: keep-alive connections, each with one request at a time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import uvloop

from bench.figures import percentile

# (connection, number of the request on it) -> the request, head and body
Requests = Callable[[int, int], bytes]


class Broken(Exception):
    """The answer could not be read."""


@dataclass(slots=True)
class Load:
    """What a run saw: seconds, how often each status, and each answer's latency in seconds."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def latency(self, share: float) -> float:
        """A percentile of the latencies, in seconds."""
        return percentile(self.latencies, share)

    def refused(self, *expected: int) -> dict[int, int]:
        """The statuses that were not expected."""
        return {s: n for s, n in sorted(self.statuses.items()) if s not in expected}


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection; answers need a Content-Length."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        head = bytes(self._buffer[:end]).lower()
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            self._fail(Broken("no Content-Length"))
            return
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        if len(self._buffer) - end - 4 < length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        answer, self._answer = self._answer, None
        if not answer.done():
            answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or Broken("the server closed the connection"))

    def _fail(self, error: Exception) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; its status and body."""
        if self.transport is None or self.transport.is_closing():
            raise Broken("not connected")
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


def request(
    method: str, path: str, *, port: int, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def closed_loop(
    port: int,
    requests: Requests,
    *,
    connections: int,
    seconds: float = 0.0,
    warm_up: float = 0.0,
    count: int = 0,
    per_second: float = 0.0,
) -> Load:
    """Drive ``connections`` for ``seconds`` after ``warm_up``, or until ``count`` are answered.

    With ``per_second`` requests are due at that pace, and a latency counts from when its request
    was due, so that a wait behind a slow answer counts too.
    """
    run = _Run(port, requests, connections, seconds, warm_up, count, per_second)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run.all())


@dataclass(slots=True)
class _Run:
    port: int
    requests: Requests
    connections: int
    seconds: float
    warm_up: float
    count: int
    per_second: float
    load: Load = field(default_factory=Load)
    begun: float = 0.0
    sent: int = 0

    async def all(self) -> Load:
        self.begun = time.perf_counter() + self.warm_up
        await asyncio.gather(*(self._one(index) for index in range(self.connections)))
        self.load.seconds = time.perf_counter() - self.begun
        return self.load

    async def _one(self, index: int) -> None:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(Connection, "127.0.0.1", self.port)
        number = 0
        gap = self.connections / self.per_second if self.per_second else 0.0
        due = time.perf_counter() + gap * index / self.connections
        while not self._over():
            if gap:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked = due if gap else time.perf_counter()
            self.sent += 1
            status, _ = await link.ask(self.requests(index, number))
            answered = time.perf_counter()
            if asked >= self.begun:
                self.load.statuses[status] += 1
                self.load.latencies.append(answered - asked)
            number += 1
            due += gap
        if link.transport:
            link.transport.close()

    def _over(self) -> bool:
        if self.count:
            return self.sent >= self.count
        return time.perf_counter() - self.begun >= self.seconds
