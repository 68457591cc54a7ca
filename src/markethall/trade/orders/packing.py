"""Pick lists and packing slips as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markethall.trade.orders.receipt import INK, LINE, MUTED, head, new_paper, note, rule, write

_CONSOLE = (70, 70, 78)


@dataclass(frozen=True, slots=True)
class PickRow:
    """So many pieces of one thing, and the orders that they are for."""

    code: str
    name: str
    detail: str
    quantity: int
    orders: Sequence[str]


@dataclass(frozen=True, slots=True)
class Slip:
    """What lies in the parcel of one order; ``lines`` are pieces, name, and what was chosen."""

    number: str
    storefront: str
    accent: tuple[int, int, int]
    site: str
    address: Sequence[str]
    method: str
    note: str
    lines: Sequence[tuple[int, str, str]]


def pick_list(rows: Sequence[PickRow], at: datetime) -> bytes:
    """What to fetch from the shelves, as a PDF document."""
    paper = new_paper("Pick list", "Markethall", at)
    paper.add_page()
    head(paper, "Pick list", f"{at:%d %b %Y %H:%M} UTC", _CONSOLE)
    for row in rows:
        paper.ln(2)
        write(paper, "☐", width=8, size=12)
        write(paper, f"{row.quantity} ×", bold=True, width=18, align="R")
        write(paper, row.name, bold=True, width=88)
        write(paper, row.code, size=9, colour=MUTED, width=56, align="R", newline=True)
        note(
            paper, " · ".join(filter(None, (row.detail, "for " + ", ".join(row.orders)))), width=160
        )
        paper.ln(2)
        rule(paper, LINE)
    if not rows:
        write(paper, "Nothing is left to pack.", width=170, newline=True)
    return bytes(paper.output())


def packing_slips(slips: Sequence[Slip], at: datetime) -> bytes:
    """One page an order, as a PDF document."""
    paper = new_paper("Packing slips", "Markethall", at)
    for slip in slips:
        paper.add_page()
        head(paper, slip.storefront, "Packing slip", slip.accent)
        for place, line in enumerate(slip.address):
            write(paper, line, bold=not place, width=100, newline=True, height=5.5)
        paper.ln(6)
        write(paper, "Order", size=9, colour=MUTED, width=30)
        write(paper, slip.number, width=100, newline=True)
        if slip.method:
            write(paper, "Shipping", size=9, colour=MUTED, width=30)
            write(paper, slip.method, width=100, newline=True)
        paper.ln(6)
        rule(paper, INK)
        for quantity, name, detail in slip.lines:
            paper.ln(2)
            write(paper, f"{quantity} ×", width=16, align="R")
            write(paper, name, bold=True, width=150, newline=True)
            if detail:
                note(paper, detail, width=160)
            paper.ln(2)
            rule(paper, LINE)
        paper.ln(8)
        if slip.note:
            note(paper, f"From the buyer: {slip.note}", width=160)
        write(paper, slip.site, size=9, colour=MUTED, width=170, newline=True)
    if not slips:
        paper.add_page()
        write(paper, "None of these orders is sent.", width=170, newline=True)
    return bytes(paper.output())
