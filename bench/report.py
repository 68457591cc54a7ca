"""The table on screen, the JSON, the page in ``docs`` and the plot of the history."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from bench.figures import Figure, short
from bench.hall import ROOT

RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "benchmarks.svg"
HISTORY = ROOT / "bench" / "history.json"
_BEGIN, _END = "<!-- measured -->", "<!-- /measured -->"
_PANEL = (250, 110)  # width and height of one plot


def machine() -> dict[str, Any]:
    """The machine, and how busy it was before the first measurement."""
    return {
        "processors": os.cpu_count(),
        "model": _processor(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "busyPercent": psutil.cpu_percent(interval=2),
    }


def line(figure: Figure) -> str:
    """One figure as it comes."""
    mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: " "}[figure.met]
    return f"  {mark} {figure.key}: {short(figure.value)} {figure.unit}"


def table(figures: list[Figure], where: dict[str, Any]) -> Table:
    """All figures for the screen."""
    shown = Table(title=f"Markethall on {_where(where)}", title_justify="left")
    for column in ("", "what", "measured", "target", "how"):
        shown.add_column(column, justify="right" if column in {"measured", "target"} else "left")
    for f in figures:
        style = {True: "green", False: "red", None: ""}[f.met]
        measured = f"{short(f.value)} {f.unit}".strip()
        shown.add_row(f.scenario, f.name, f"[{style}]{measured}[/]" if style else measured,
                      f.target_text, f.note)  # fmt: skip
    return shown


def write(figures: list[Figure], where: dict[str, Any], *, took: float, complete: bool) -> None:
    """The run as JSON; and, of a complete run, the history, its plot and the page."""
    at = datetime.now(UTC).replace(microsecond=0)
    run = {
        "at": at.isoformat().replace("+00:00", "Z"),
        "commit": _commit(),
        "seconds": round(took),
        "machine": where,
        "figures": [{**asdict(f), "met": f.met} for f in figures],
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{at:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(run, indent=1))
    if not complete:
        return
    history = json.loads(HISTORY.read_text()) if HISTORY.exists() else []
    values = {f.key: round(f.value, 4) for f in figures}
    history.append({key: run[key] for key in ("at", "commit", "machine")} | {"figures": values})
    HISTORY.write_text(json.dumps(history, indent=1) + "\n")
    PLOT.write_text(plot(history, {f.key: f for f in figures}))
    _write_page(figures, run)


def _write_page(figures: list[Figure], run: dict[str, Any]) -> None:
    rows = ["| | what | measured | target | met | how |", "|---|---|--:|--:|---|---|"]
    for f in figures:
        met = {True: "yes", False: "**no**", None: ""}[f.met]
        measured = f"{short(f.value)} {f.unit}".strip()
        rows.append(
            f"| {f.scenario} | {f.name} | {measured} | {f.target_text} | {met} | {f.note} |"
        )
    measured = "\n".join(
        [
            _BEGIN,
            f"Measured {run['at']} at commit `{run['commit']}` with `make bench`"
            f" ({run['seconds']} s) on {_where(run['machine'])}.",
            "",
            *rows,
            _END,
        ]
    )
    page = PAGE.read_text()
    PAGE.write_text(re.sub(f"{_BEGIN}.*{_END}", lambda _: measured, page, flags=re.DOTALL))


def plot(history: list[dict[str, Any]], latest: dict[str, Figure]) -> str:
    """Small multiples as SVG: each figure with a target over the runs, its target dashed."""
    panels = [
        _panel(figure, [run["figures"][key] for run in history if key in run["figures"]])
        for key, figure in latest.items()
        if figure.target is not None
    ]
    width, height = _PANEL
    columns = 3
    rows = -(-len(panels) // columns)
    placed = [
        f'<g transform="translate({n % columns * width},{n // columns * height})">{panel}</g>'
        for n, panel in enumerate(panels)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * width} {rows * height}"'
        ' font-family="sans-serif" font-size="9">'
        '<rect width="100%" height="100%" fill="#fff"/>' + "\n".join(placed) + "</svg>\n"
    )


def _panel(figure: Figure, values: list[float]) -> str:
    width, height = _PANEL
    left, right, top, bottom = 12, width - 44, 30, height - 12
    target = figure.target or 0.0
    most = max([*values, target]) * 1.1 or 1.0

    def y(value: float) -> float:
        return round(bottom - (bottom - top) * value / most, 1)

    step = (right - left) / max(len(values) - 1, 1)
    points = [(round(left + step * n, 1), y(value)) for n, value in enumerate(values)]
    path = " ".join(f"{x},{height}" for x, height in points)
    colour = "#b42318" if figure.met is False else "#1a7f4b"
    last = points[-1]
    return (
        f'<text x="{left}" y="12" fill="#111">{escape(figure.key)}</text>'
        f'<text x="{left}" y="23" fill="#555">target {escape(figure.target_text)}'
        f" {escape(figure.unit)}</text>"
        f'<line x1="{left}" x2="{right}" y1="{y(target)}" y2="{y(target)}" stroke="#888"'
        ' stroke-dasharray="3 3"/>'
        f'<line x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}" stroke="#ccc"/>'
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        f'<circle cx="{last[0]}" cy="{last[1]}" r="2.5" fill="{colour}"/>'
        f'<text x="{last[0] + 5}" y="{last[1] + 3}" fill="{colour}">{short(values[-1])}</text>'
    )


def _where(where: dict[str, Any]) -> str:
    return (
        f"{where['processors']} processors ({where['model']}), {where['memoryGiB']} GiB,"
        f" {where['system']}, Python {where['python']};"
        f" before the run {where['busyPercent']:.0f} % busy"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT, text=True, capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()
