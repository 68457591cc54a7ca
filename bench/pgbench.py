"""Replays the SQL of a request with ``pgbench``: what the database alone can do with it.

A request is sent through the application in this process, twice for each of several people, and
its statements are recorded as they went to the server, ``BEGIN`` and ``COMMIT`` included. What
differs between the two recordings of a person (ids, keys, digests) is made unique in every
transaction of pgbench; times and numbers stay as recorded. Each person becomes one script, and
pgbench picks among them at random. ``Shapes`` refuses recordings that differ in anything but
their values, so a script is always the SQL that the application runs today.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_VALUE = re.compile(
    r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+\d\d:?\d\d|Z)?)"
    r"|(?P<hex>(?<![0-9a-f])[0-9a-f]{20,64}(?![0-9a-f]))"
    r"|(?P<number>(?<![\w.\"$])-?\d+(?:\.\d+)?(?![\w\"]))",
)
_UNIQUE_KINDS = {"uuid", "hex"}
# Each run of pgbench starts its numbers where no other run has been.
_runs = count(1)


class ShapesDiffer(Exception):
    """Two recordings of one request are not the same SQL."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Transactions a second of one pgbench run, and the statements of each."""

    tps: float
    statements: int


@contextmanager
def recording() -> Iterator[list[str]]:
    """Collects the statements that this thread's Django connection sends, as sent."""
    from django.db import connection

    statements: list[str] = []
    asked_before = connection.force_debug_cursor
    connection.ensure_connection()
    connection.queries_log.clear()
    connection.force_debug_cursor = True
    try:
        yield statements
    finally:
        connection.force_debug_cursor = asked_before
        statements += [str(query["sql"]) for query in connection.queries_log]


def record(act: Callable[[], object]) -> list[str]:
    """The statements of ``act``."""
    with recording() as statements:
        act()
    return statements


def recorded_script(act: Callable[[], object]) -> str:
    """The pgbench script of ``act``, recorded twice in a row. A pair that differs is recorded
    again: between the two, something that is kept for a while may have been asked anew."""
    for _ in range(3):
        first, second = record(act), record(act)
        if [shape(sql) for sql in first] == [shape(sql) for sql in second]:
            break
    return script(first, second)


def script(first: Sequence[str], second: Sequence[str]) -> str:
    """The pgbench script of a request recorded twice. Raises ShapesDiffer."""
    if [shape(sql) for sql in first] != [shape(sql) for sql in second]:
        raise ShapesDiffer("\n".join(["Once:", *first, "Then:", *second]))
    unique: dict[str, str] = {}
    for one, other in zip(first, second, strict=True):
        for mine, theirs in zip(_VALUE.finditer(one), _VALUE.finditer(other), strict=True):
            if mine.lastgroup in _UNIQUE_KINDS and mine[0] != theirs[0]:
                unique.setdefault(_plain(mine[0]), _placeholder(_plain(mine[0]), len(unique)))
    lines = ["\\set i :i + 1", "\\set n (:client_id + 100) * 1000000000 + :i"]
    for sql in first:
        flat = _VALUE.sub(lambda m: unique.get(_plain(m[0]), m[0]), sql.strip().rstrip(";"))
        lines.append(" ".join(flat.splitlines()) + ";")
    return "\n".join(lines) + "\n"


def shape(sql: str) -> str:
    """A statement without its values."""
    return _VALUE.sub(lambda m: f"<{m.lastgroup}>", sql)


def run(scripts: Sequence[str], *, connections: int, seconds: float) -> Rate:
    """Run ``scripts``, picked at random, in ``connections`` sessions; raises on any failure."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, text in enumerate(scripts):
            file = Path(folder) / f"{number}.sql"
            file.write_text(text)
            files += ["-f", str(file)]
        done = _pgbench(
            *("--protocol=simple", f"--client={connections}", f"--jobs={min(2, connections)}"),
            *(f"--time={max(1, round(seconds))}", f"--define=i={next(_runs) * 10_000_000}"),
            *files,
        )
    statements = sum(line.endswith(";") for line in scripts[0].splitlines())
    return Rate(_tps(done), statements)


def tpc_b(*, connections: int, seconds: float) -> float:
    """Transactions a second of pgbench's own script, by which halls of all makes are compared."""
    _pgbench("--initialize", "--scale=10", "--quiet")
    return _tps(_pgbench(f"--client={connections}", "--jobs=2", f"--time={round(seconds)}"))


def _pgbench(*arguments: str) -> str:
    from markethall.config.database import tool

    done = subprocess.run(
        [tool("pgbench"), "--no-vacuum", *arguments],
        env={**os.environ, **_connection()},
        text=True,
        capture_output=True,
        check=False,
    )
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    if done.returncode or "aborted" in done.stderr or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench failed:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout


def _tps(told: str) -> float:
    found = re.search(r"tps = ([\d.]+) \(without", told)
    if not found:
        raise RuntimeError(f"pgbench told no rate:\n{told[-1500:]}")
    return float(found[1])


def _plain(value: str) -> str:
    """An id without its hyphens, as the driver writes it; in JSON it has them."""
    return value.replace("-", "")


def _placeholder(value: str, position: int) -> str:
    """``value`` with its end replaced by the transaction's number (12 digits)."""
    return f"{value[:-16]}{position:04d}:n"


def _connection() -> dict[str, str]:
    from django.conf import settings

    from markethall.config.database import embedded_url

    url = urlsplit(settings.ENVIRONMENT.database_url or embedded_url(settings.DATA_DIR))
    found = {
        "PGDATABASE": url.path.lstrip("/"),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGHOST": parse_qs(url.query).get("host", [url.hostname or ""])[0],
        "PGPORT": str(url.port or ""),
    }
    return {name: value for name, value in found.items() if value}
