"""`python -m bench [P1 P3 …]`: measure, print, write."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator

from rich.console import Console

from bench import buy, live, pictures, reads, report, spend, start, webhooks
from bench.figures import Figure
from bench.hall import FOLDER, fresh

console = Console()
SCENARIOS: dict[str, Callable[[], Iterator[Figure]]] = {
    "P8": start.run,
    "P7": pictures.run,
    "P6": live.run,
    "P1": spend.run,
    "P2": buy.run,
    "P3": webhooks.run,
    "P4": reads.run_load,
    "P5": reads.run_growth,
}


def main(wanted: list[str]) -> None:
    """Run the scenarios named, all when none is. What breaks is told and stops nothing."""
    unknown = [name for name in wanted if name not in SCENARIOS]
    if unknown:
        console.print(f"Unknown: {' '.join(unknown)}. There are {' '.join(SCENARIOS)}.")
        return
    fresh(FOLDER)
    machine = report.machine()
    figures: list[Figure] = []
    began = time.monotonic()
    for name in wanted or SCENARIOS:
        with console.status(f"{name} …"):
            at = time.monotonic()
            try:
                for figure in SCENARIOS[name]():
                    figures.append(figure)
                    console.print(report.line(figure))
            except Exception:
                console.print(f"{name} broke:", style="red")
                console.print(traceback.format_exc(), markup=False, highlight=False)
            console.print(f"  {name} took {time.monotonic() - at:.0f} s", style="dim")
    console.print(report.table(figures, machine))
    report.write(figures, machine, took=time.monotonic() - began, complete=not wanted)


main(sys.argv[1:])
