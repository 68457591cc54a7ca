"""P8: from ``make run`` in a hall that is set up until its first page answers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.figures import Figure, median
from bench.hall import FOLDER, Hall, fresh

_TIMES = 3
_REST = 5.0  # seconds


def run() -> Iterator[Figure]:
    hall = Hall(fresh(FOLDER / "start"))
    command = ["make", "--no-print-directory", "run", f"PORT={hall.port}", f"DATA={hall.folder}"]
    first = hall.start(command, page="/")
    hall.stop()
    times, steps, cpu = [], [], []
    for _ in range(_TIMES):
        times.append(hall.start(command, page="/"))
        used = hall.cpu()
        cpu.append(used.hall + used.database)
        steps.append(hall.steps())
        hall.stop()
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in steps[-1].items())
    yield Figure(
        "P8", "`make run` once set up, to the first page", median(times), "s", target=5,
        at_most=True, note=f"median of {_TIMES}; CPU {median(cpu):.1f} s; {shown}",
    )  # fmt: skip
    yield Figure("P8", "`make run` in an empty folder, to the first page", first, "s")
    yield Figure(
        "P8", "memory at rest, database included", _at_rest(), "MiB", target=250,
        at_most=True, note="proportional set size, without demo data",
    )  # fmt: skip


def _at_rest() -> float:
    hall = Hall(fresh(FOLDER / "rest"))
    hall.start(page="/")
    time.sleep(_REST)
    held = hall.memory_with_database()
    hall.stop()
    return held / 2**20
