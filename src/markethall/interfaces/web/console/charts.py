"""Bar charts by day, as the numbers an SVG needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

WIDTH, HEIGHT = 400, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 4, 8, 20
_GAP = 0.28  # of a day's width stays empty


@dataclass(frozen=True, slots=True)
class Series:
    """One number a day; ``tone`` is ``s1``, ``s2`` or ``bad``."""

    label: str
    tone: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on an axis, at its place."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """``question`` is what it answers, ``answer`` the same in words, ``rows`` the same as a
    table."""

    question: str
    answer: str
    series: Sequence[Series]
    bars: list[Bar]
    levels: list[Mark]
    days: list[Mark]
    rows: list[tuple[date, list[str]]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = field(default=WIDTH - _RIGHT)


def by_day(
    question: str,
    answer: str,
    days: Sequence[date],
    series: Sequence[Series],
    write: Callable[[int], str],
    *,
    stacked: bool = False,
) -> Chart:
    """Bars by day, side by side or ``stacked`` (of numbers that are not negative)."""
    columns = list(zip(*(one.values for one in series), strict=True))
    tops = [sum(column) if stacked else max(column) for column in columns]
    high = _round_up(max(0, *tops)) or 1
    low = -_round_up(-min(0, *(min(column) for column in columns)))
    scale = (HEIGHT - _TOP - _BOTTOM) / (high - low)

    def y(value: float) -> float:
        return round(_TOP + (high - value) * scale, 2)

    step = (WIDTH - _LEFT - _RIGHT) / len(days)
    inner = step * (1 - _GAP)
    bars = []
    for place, (day, column) in enumerate(zip(days, columns, strict=True)):
        x, below = _LEFT + place * step + step * _GAP / 2, 0
        for number, (one, value) in enumerate(zip(series, column, strict=True)):
            width = inner if stacked else inner / len(series)
            base = below if stacked else 0
            top, bottom = y(max(base, base + value)), y(min(base, base + value))
            if value:
                bars.append(
                    Bar(
                        x=round(x if stacked else x + number * width, 2),
                        y=top,
                        width=round(width, 2),
                        height=max(1.0, round(bottom - top, 2)),
                        tone=one.tone,
                        text=f"{day:%-d %b}, {one.label.lower()}: {write(value)}",
                    )
                )
            below += value
    shown = {0, len(days) // 2, len(days) - 1}
    return Chart(
        question=question,
        answer=answer,
        series=series,
        bars=bars,
        levels=[
            Mark(y(value), write(value).removesuffix(".00"))
            for value in dict.fromkeys((high, 0, low))
        ],
        days=[
            Mark(round(_LEFT + (place + 0.5) * step, 2), f"{days[place]:%-d %b}")
            for place in sorted(shown)
        ],
        rows=[
            (day, [write(value) for value in column])
            for day, column in zip(days, columns, strict=True)
        ],
    )


def _round_up(value: int) -> int:
    """The next number that reads well: 1, 2, 5, 10, 20, 50 …"""
    if value <= 0:
        return 0
    power = 10 ** (len(str(value)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
