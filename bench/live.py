"""P6: how many idle live connections one process holds, and what each costs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

from bench import people
from bench.figures import Figure
from bench.hall import Hall, raise_file_limit

WANTED = 10_000
_AT_ONCE = 64  # connections being opened at a time
_A_SOURCE = 2_500  # connections from one address of 127.0.0.0/8


class _Listener(asyncio.Protocol):
    """One open page: counts what it hears."""

    def __init__(self, request: bytes, watch: _Watch) -> None:
        self._request = request
        self._watch = watch
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self.opened.done() and b": open" in data:
            self._watch.held += 1
            self.opened.set_result(True)
        if b"event: update" in data:
            self._watch.told += 1

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)
        elif not self._watch.closing:
            self._watch.held -= 1


@dataclass(slots=True)
class _Watch:
    held: int = 0
    told: int = 0
    closing: bool = False
    transports: list[asyncio.BaseTransport] = field(default_factory=list)


def run() -> Iterator[Figure]:
    wanted = min(WANTED, raise_file_limit() - 500)
    with people.open_hall(WEB_PROCESSES="1") as hall:
        person = people.make(1)[0]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            yield from runner.run(_measure(hall, person, wanted))


async def _measure(hall: Hall, person: people.Person, wanted: int) -> list[Figure]:
    warm = await _open(hall, person, 200, first_source=2)
    _close(warm)
    await asyncio.sleep(1)
    before = hall.memory()
    began = time.monotonic()
    watch = await _open(hall, person, wanted, first_source=3)
    opened_in = time.monotonic() - began
    cpu = hall.cpu()
    await asyncio.sleep(10)
    idle = hall.cpu().since(cpu)
    held, memory = watch.held, hall.memory() - before
    heard_in = await _tell(person, watch)
    _close(watch)
    each = memory / max(held, 1) / 1024
    return [
        Figure("P6", "idle live connections held by one process", held, "", target=WANTED,
               note=f"opened in {opened_in:.0f} s; {idle.hall / 10 * 100:.1f} % of a core idle"),
        Figure("P6", "memory of each", each, "KiB", target=40, at_most=True,
               note="growth of the hall's proportional set size"),
        Figure("P6", "a change told to all of them within", heard_in, "s",
               note=f"{watch.told:,} of {held:,} heard it"),
    ]  # fmt: skip


async def _open(hall: Hall, person: people.Person, wanted: int, *, first_source: int) -> _Watch:
    watch = _Watch()
    request = person.get("/api/live", port=hall.port, Accept="text/event-stream")
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(index: int) -> None:
        source = f"127.0.0.{first_source + index // _A_SOURCE}"
        async with gate:
            transport, listener = await asyncio.get_running_loop().create_connection(
                lambda: _Listener(request, watch),
                "127.0.0.1",
                hall.port,
                local_addr=(source, 0),
            )
            watch.transports.append(transport)
            await asyncio.wait_for(listener.opened, 60)

    await asyncio.gather(*(one(index) for index in range(wanted)), return_exceptions=True)
    return watch


async def _tell(person: people.Person, watch: _Watch) -> float:
    """Seconds until a change of the person's was heard by every connection (30 at most)."""
    began = time.monotonic()
    await asyncio.to_thread(people.notify, person)
    while watch.told < watch.held and time.monotonic() - began < 30:
        await asyncio.sleep(0.005)
    return time.monotonic() - began


def _close(watch: _Watch) -> None:
    watch.closing = True
    for transport in watch.transports:
        transport.close()
