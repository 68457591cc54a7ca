"""P4: how long reads take at half of the load that saturates; P5: how they grow with the data."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from bench import rows
from bench.figures import Figure
from bench.hall import Hall
from bench.load import Load, Requests, closed_loop
from bench.people import Person, make, open_hall

_CONNECTIONS = 16
_FEW, _MANY = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Read:
    """A list that somebody looks at."""

    name: str
    path: str
    is_page: bool = False
    by_staff: bool = False
    at_least: float | None = None  # reads/s

    def request(self, person: Person, staff: Person, port: int) -> bytes:
        reader = staff if self.by_staff else person
        show = reader.page if self.is_page else reader.get
        return show(self.path, port=port)


READS = (
    Read("gallery page", "/plushify/gallery", is_page=True),
    Read("images API", "/api/images"),
    Read("credit history API", "/api/credits/history"),
    Read("plans API", "/api/payments/plans"),
    Read("product list API", "/api/products", at_least=500),
    Read("product search API", "/api/products/search?q=ring"),
    Read("shop page", "/elysium/shop", is_page=True),
    Read("console start page", "/console", is_page=True, by_staff=True),
    Read("console charts", "/console/figures", is_page=True, by_staff=True),
    Read("console to-do list", "/console/todo", is_page=True, by_staff=True),
)
GROWING = (
    Read("images API", "/api/images"),
    Read("images API, favourites first", "/api/images?sort=favorites"),
    Read("credit history API", "/api/credits/history"),
    Read("gallery page", "/plushify/gallery", is_page=True),
    Read("product list API", "/api/products"),
    Read("product list API, by price", "/api/products?sort=price"),
    Read("product search API", "/api/products/search?q=ring"),
    Read("shop page", "/elysium/shop", is_page=True),
    Read("own orders API", "/api/orders"),
    Read("console's orders", "/console/orders", is_page=True, by_staff=True),
)


def run_load() -> Iterator[Figure]:
    with open_hall() as hall:
        person, staff = make(1)[0], make(1, role="admin")[0]
        _fill(person, 2_000_001, 2_000_500)
        rows.gather_statistics()
        for read in READS:
            if (status := _status(read, person, staff, hall.port)) != 200:
                yield Figure("P4", read.name, 0, "", note=f"answers {status}: not measured")
                continue
            yield from _at_half_load(hall, read, read.request(person, staff, hall.port))


def run_growth() -> Iterator[Figure]:
    with open_hall() as hall:
        person, staff = make(1)[0], make(1, role="admin")[0]
        _fill(person, 1, _FEW)
        rows.gather_statistics()
        reads = [r for r in GROWING if _status(r, person, staff, hall.port) == 200]
        few = {r: _alone(hall, r.request(person, staff, hall.port)) for r in reads}
        _fill(person, _FEW + 1, _MANY)
        rows.gather_statistics()
        for read in reads:
            many = _alone(hall, read.request(person, staff, hall.port))
            before, after = few[read].latency(0.5) * 1000, many.latency(0.5) * 1000
            yield Figure(
                "P5", f"{read.name}: 1,000,000 rows ÷ 1,000", after / before, "", target=1.2,
                at_most=True, note=f"p50 {before:.2f} ms, then {after:.2f} ms",
            )  # fmt: skip


def _fill(person: Person, first: int, last: int) -> None:
    rows.pictures_and_history(person.id, first=first, last=last)
    rows.goods(first=first, last=last)
    rows.orders(person.id, first=first, last=last)


def _at_half_load(hall: Hall, read: Read, request: bytes) -> Iterator[Figure]:
    def requests(index: int, number: int) -> bytes:
        return request

    closed_loop(hall.port, requests, connections=_CONNECTIONS, seconds=0.5)
    before = hall.cpu()
    full = closed_loop(hall.port, requests, connections=_CONNECTIONS, seconds=2.5)
    used = hall.cpu().since(before)
    half = _paced(hall, requests, full.per_second / 2)
    bad = {**full.refused(200), **half.refused(200)}
    count = max(len(full.latencies), 1)
    note = (
        f"at {full.per_second / 2:,.0f}/s of {full.per_second:,.0f}/s;"
        f" p50 {half.latency(0.5) * 1000:.1f} ms; CPU a request:"
        f" {used.hall / count * 1000:.2f} ms hall, {used.database / count * 1000:.2f} ms database"
    )
    yield Figure(
        "P4", f"{read.name}, p95", half.latency(0.95) * 1000, "ms",
        target=100 if read.is_page else 50, at_most=True, note=f"{note}; {bad}" if bad else note,
    )  # fmt: skip
    if read.at_least:
        yield Figure(
            "P4", f"{read.name}, at most", full.per_second, "reads/s", target=read.at_least
        )


def _paced(hall: Hall, requests: Requests, per_second: float) -> Load:
    return closed_loop(
        hall.port, requests, connections=_CONNECTIONS, seconds=4, warm_up=0.5,
        per_second=per_second,
    )  # fmt: skip


def _alone(hall: Hall, request: bytes) -> Load:
    """One connection: what the request takes by itself."""
    return closed_loop(hall.port, lambda *_: request, connections=1, seconds=3, warm_up=1)


def _status(read: Read, person: Person, staff: Person, port: int) -> int:
    head = read.request(person, staff, port).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    wanted = urllib.request.Request(f"http://127.0.0.1:{port}{read.path}", headers=headers)
    try:
        with urllib.request.urlopen(wanted, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
