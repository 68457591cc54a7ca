"""Ring sizes here and elsewhere. A size is the inner circumference in whole millimetres (ISO 8653);
what it is called in the United States and in Britain is the nearest there."""

from __future__ import annotations

import math
from dataclasses import dataclass

SIZES = range(46, 66, 2)
# Millimetres round the finger of size 0 and of one size more: 0.458 and 0.032 inches across.
_US_ZERO, _US_STEP = 0.458 * 25.4 * math.pi, 0.032 * 25.4 * math.pi
# Millimetres of A, and of one letter more.
_UK_A, _UK_STEP = 37.5, 1.25
_FRACTIONS = ("", "¼", "½", "¾")


@dataclass(frozen=True, slots=True)
class RingSize:
    """``across`` is the inner diameter in millimetres, to a tenth."""

    millimetres: int
    across: float
    us: str
    uk: str


def ring_sizes() -> list[RingSize]:
    """The sizes that rings are made in."""
    return [
        RingSize(size, round(size / math.pi, 1), us_size(size), uk_size(size)) for size in SIZES
    ]


def us_size(millimetres: float) -> str:
    """The nearest quarter of a size, as 5¼."""
    quarters = round((millimetres - _US_ZERO) / _US_STEP * 4)
    return f"{quarters // 4}{_FRACTIONS[quarters % 4]}"


def uk_size(millimetres: float) -> str:
    """The nearest half of a letter from A to Z, as L½."""
    halves = round((millimetres - _UK_A) / _UK_STEP * 2)
    return f"{chr(ord('A') + halves // 2)}{_FRACTIONS[halves % 2 * 2]}"
