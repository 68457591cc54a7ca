"""Pick lists and packing slips as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markethall.trade.orders.paper import INK, LINE, MUTED, Paper

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
    paper = Paper("Pick list", "Markethall", at)
    paper.add_page()
    paper.head("Pick list", f"{at:%d %b %Y %H:%M} UTC", _CONSOLE)
    for row in rows:
        paper.ln(2)
        paper.tick_box(4, width=8)
        paper.write(f"{row.quantity} ×", bold=True, width=18, align="R")
        paper.write(row.name, bold=True, width=88)
        paper.write(row.code, size=9, colour=MUTED, width=56, align="R", newline=True)
        about = filter(None, (row.detail, "for " + ", ".join(row.orders)))
        paper.note(" · ".join(about), width=160)
        paper.ln(2)
        paper.rule(LINE)
    if not rows:
        paper.write("Nothing is left to pack.", width=170, newline=True)
    return paper.content()


def packing_slips(slips: Sequence[Slip], at: datetime) -> bytes:
    """One page an order, as a PDF document."""
    paper = Paper("Packing slips", "Markethall", at)
    for slip in slips:
        paper.add_page()
        paper.head(slip.storefront, "Packing slip", slip.accent)
        for place, line in enumerate(slip.address):
            paper.write(line, bold=not place, width=100, newline=True, height=5.5)
        paper.ln(6)
        paper.write("Order", size=9, colour=MUTED, width=30)
        paper.write(slip.number, width=100, newline=True)
        if slip.method:
            paper.write("Shipping", size=9, colour=MUTED, width=30)
            paper.write(slip.method, width=100, newline=True)
        paper.ln(6)
        paper.rule(INK)
        for quantity, name, detail in slip.lines:
            paper.ln(2)
            paper.write(f"{quantity} ×", width=16, align="R")
            paper.write(name, bold=True, width=150, newline=True)
            if detail:
                paper.note(detail, width=160)
            paper.ln(2)
            paper.rule(LINE)
        paper.ln(8)
        if slip.note:
            paper.note(f"From the buyer: {slip.note}", width=160)
        paper.write(slip.site, size=9, colour=MUTED, width=170, newline=True)
    if not slips:
        paper.add_page()
        paper.write("None of these orders is sent.", width=170, newline=True)
    return paper.content()
