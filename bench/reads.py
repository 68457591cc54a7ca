"""P4: how long reads take at half of the load that saturates; P5: how they grow with the data."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench import rows
from bench.figures import Figure
from bench.hall import Hall
from bench.load import Load, Requests, closed_loop, request
from bench.people import Person, make, open_hall

_CONNECTIONS = 16
_FEW, _MANY = 1_000, 1_000_000
_SEARCH = "/api/products/search?q=ring"
_numbers = count(1)
# No piece is as cheap, or as dear, as these bounds.
_CHEAPER = "priceMin={}"
_DEARER = "price_max=1{:06}"


@dataclass(frozen=True, slots=True)
class Read:
    """A list that somebody looks at. Where ``{}`` stands in its path, it is asked for in another
    way each time, so that nothing kept answers."""

    name: str
    path: str
    is_page: bool = False
    by_staff: bool = False
    by_visitor: bool = False
    at_least: float | None = None  # reads/s

    def request(self, person: Person, staff: Person, port: int) -> bytes:
        path = self.path.format(next(_numbers))
        if self.by_visitor:
            return request("GET", path, port=port)
        reader = staff if self.by_staff else person
        show = reader.page if self.is_page else reader.get
        return show(path, port=port)

    def requests(self, person: Person, staff: Person, port: int) -> Requests:
        if "{" in self.path:
            return lambda *_: self.request(person, staff, port)
        always = self.request(person, staff, port)
        return lambda *_: always


READS = (
    Read("gallery page", "/plushify/gallery", is_page=True),
    Read("images API", "/api/images"),
    Read("credit history API", "/api/credits/history"),
    Read("plans API", "/api/payments/plans"),
    Read("product list API", "/api/products", by_visitor=True, at_least=500),
    Read("product list API, never the same", f"/api/products?{_CHEAPER}", by_visitor=True),
    Read("product search API", _SEARCH, by_visitor=True),
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
    Read("product list API, never the same", f"/api/products?{_CHEAPER}", by_visitor=True),
    Read("product list API, by price", f"/api/products?sort=price&{_CHEAPER}", by_visitor=True),
    Read(
        "product search API, never the same",
        f"/api/products/search?q=ring&{_CHEAPER}",
        by_visitor=True,
    ),
    Read("shop page, never the same", f"/elysium/shop?{_DEARER}", is_page=True),
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
            yield from _at_half_load(hall, read, read.requests(person, staff, hall.port))


def run_growth() -> Iterator[Figure]:
    with open_hall() as hall:
        person, staff = make(1)[0], make(1, role="admin")[0]
        _fill(person, 1, _FEW)
        rows.gather_statistics()
        reads = [r for r in GROWING if _status(r, person, staff, hall.port) == 200]
        few = {r: _alone(hall, r.requests(person, staff, hall.port)) for r in reads}
        _fill(person, _FEW + 1, _MANY)
        rows.gather_statistics()
        for read in reads:
            many = _alone(hall, read.requests(person, staff, hall.port))
            before, after = few[read].latency(0.5) * 1000, many.latency(0.5) * 1000
            yield Figure(
                "P5", f"{read.name}: 1,000,000 rows ÷ 1,000", after / before, "", target=1.2,
                at_most=True, note=f"p50 {before:.2f} ms, then {after:.2f} ms",
            )  # fmt: skip


def _fill(person: Person, first: int, last: int) -> None:
    """Fill the three families of tables side by side."""
    with ThreadPoolExecutor() as pool:
        for done in (
            pool.submit(_connected(rows.pictures_and_history), person.id, first=first, last=last),
            pool.submit(_connected(rows.goods), first=first, last=last),
            pool.submit(_connected(rows.orders), person.id, first=first, last=last),
        ):
            done.result()


def _connected(fill: Callable[..., None]) -> Callable[..., None]:
    """``fill`` with a database connection of its own, closed afterwards."""

    def run(*args: Any, **kwargs: Any) -> None:
        from django.db import connection

        with closing(connection):
            fill(*args, **kwargs)

    return run


def _at_half_load(hall: Hall, read: Read, requests: Requests) -> Iterator[Figure]:
    closed_loop(hall.port, requests, connections=_CONNECTIONS, seconds=0.5)
    before = hall.cpu()
    full = closed_loop(hall.port, requests, connections=_CONNECTIONS, seconds=2.5)
    used = hall.cpu().since(before)
    half = _paced(hall, requests, full.per_second / 2)
    bad = {**full.refused(200), **half.refused(200)}
    a_request = 1000 / max(len(full.latencies), 1)
    note = (
        f"at {full.per_second / 2:,.0f}/s of {full.per_second:,.0f}/s;"
        f" p50 {half.latency(0.5) * 1000:.1f} ms; CPU a request:"
        f" {used.hall * a_request:.2f} ms hall, {used.database * a_request:.2f} ms database"
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


def _alone(hall: Hall, requests: Requests) -> Load:
    """One connection: what a request takes by itself."""
    return closed_loop(hall.port, requests, connections=1, seconds=3, warm_up=1)


def _status(read: Read, person: Person, staff: Person, port: int) -> int:
    head = read.request(person, staff, port).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
    path = head[0].split()[1]
    wanted = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(wanted, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
