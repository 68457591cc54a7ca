"""Pure rules of stock: which orders get their pieces, and what a list of received goods says."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from markethall.kernel.errors import FieldError

MAX_LEVEL = 1_000_000
MAX_LINES = 2_000
TOO_MANY = f"At most {MAX_LEVEL:,} pieces of one variant can be on hand."


@dataclass(slots=True)
class Level:
    """A locked stock item's figures, in pieces; changed along with what is written."""

    variant_id: uuid.UUID
    is_counted: bool
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    def has(self, pieces: int, held: int = 0) -> bool:
        """Whether ``pieces`` can be had by somebody for whom ``held`` are reserved."""
        return not self.is_counted or self.available + held >= pieces

    def sell(self, pieces: int, held: int) -> None:
        self.reserved -= held
        if self.is_counted:
            self.on_hand -= pieces


def lacking(
    levels: Mapping[uuid.UUID, Level], wanted: Mapping[uuid.UUID, int]
) -> dict[uuid.UUID, int]:
    """What there is of each variant that ``wanted`` has too much of; a variant without a level has
    none."""
    return {
        variant_id: max(0, levels[variant_id].available) if variant_id in levels else 0
        for variant_id, pieces in wanted.items()
        if variant_id not in levels or not levels[variant_id].has(pieces)
    }


def why_not(was: int, to: int) -> str:
    """Why a level cannot go from ``was`` to ``to`` pieces, which is none."""
    if to > MAX_LEVEL:
        return TOO_MANY
    if not was:
        return "There is none on hand, so none can be taken off."
    there = "is only 1" if was == 1 else f"are only {was:,}"
    return f"There {there} on hand, so {was - to:,} cannot be taken off."


def read_list(text: str) -> tuple[dict[str, int], list[FieldError]]:
    """A pasted list or CSV of SKU and pieces, one a line, parted by comma, semicolon, tab or
    blank; a first line of headings is passed over. Returns pieces by SKU, and what is wrong in
    which line."""
    received: dict[str, int] = {}
    faults: list[FieldError] = []
    lines = text.lstrip("\ufeff").splitlines()
    for number, line in enumerate(lines[: MAX_LINES + 1], start=1):
        cells = _cells(line)
        if not cells or (number == 1 and cells[0].lower() == "sku"):
            continue
        if fault := _fault(cells):
            faults.append(FieldError(f"list.{number}", fault))
        else:
            received[cells[0]] = received.get(cells[0], 0) + int(cells[1])
    if len(lines) > MAX_LINES:
        faults.append(FieldError("list", f"At most {MAX_LINES} lines at once."))
    return received, faults


def _cells(line: str) -> list[str]:
    parted = next((mark for mark in ",;\t" if mark in line), " ")
    row = next(csv.reader(io.StringIO(line), delimiter=parted, skipinitialspace=True), [])
    return [cell.strip() for cell in row if cell.strip()]


def _fault(cells: list[str]) -> str:
    if len(cells) < 2:
        return "A line has a SKU and a number of pieces."
    if not (cells[1].isascii() and cells[1].isdigit() and 0 < int(cells[1]) <= MAX_LEVEL):
        return f"{cells[1][:20]!r} is no number of pieces from 1 to {MAX_LEVEL}."
    return ""
