"""Receipts, invoices and credit notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markethall.kernel.money import Money
from markethall.trade.orders.paper import INK, LINE, MARGIN, MUTED, WIDTH, Paper

_COLUMNS = (88, 18, 32, 32)  # mm: what, how many, each, together


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line as it was priced."""

    name: str
    detail: str
    quantity: int
    unit: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything a receipt, invoice or credit note says. ``sums`` stand between the lines and the
    total, ``contained`` after it; both are pairs of a label and an amount. ``note`` is said in
    small print."""

    title: str
    number: str
    storefront: str
    accent: tuple[int, int, int]
    site: str
    seller: Sequence[str]
    parties: Sequence[tuple[str, Sequence[str]]]
    facts: Sequence[tuple[str, str]]
    at: datetime
    lines: Sequence[ReceiptLine]
    sums: Sequence[tuple[str, Money]]
    total_label: str
    total: Money
    contained: Sequence[tuple[str, Money]] = ()
    note: str = ""
    thanks: str = ""


def render(receipt: Receipt) -> bytes:
    """The paper as a PDF document. Touches nothing but the font files."""
    paper = Paper(f"{receipt.title} {receipt.number}", receipt.storefront, receipt.at)
    paper.add_page()
    paper.head(receipt.storefront, receipt.title, receipt.accent)
    _parties(paper, receipt)
    _table(paper, receipt)
    _sums(paper, receipt)
    _foot(paper, receipt)
    return paper.content()


def _parties(paper: Paper, receipt: Receipt) -> None:
    top = paper.y
    for title, lines in receipt.parties:
        paper.write(title, size=9, colour=MUTED, width=78, newline=True)
        for place, line in enumerate(lines):
            paper.write(line, bold=not place, size=9.5, width=78, newline=True, height=5)
        paper.ln(3)
    bottom = paper.y
    paper.y = top
    for name, value in receipt.facts:
        paper.x = MARGIN + 82
        paper.write(name, size=9, colour=MUTED, width=34)
        paper.write(value, size=9, width=54, align="R", newline=True)
    paper.ln(3)
    for line in receipt.seller:
        paper.x = MARGIN + 82
        paper.write(line, size=9, colour=MUTED, width=88, align="R", newline=True, height=4.5)
    paper.y = max(bottom, paper.y) + 8


def _table(paper: Paper, receipt: Receipt) -> None:
    for width, title in zip(_COLUMNS, ("Item", "Quantity", "Price", "Amount"), strict=True):
        align = "L" if title == "Item" else "R"
        paper.write(title, size=9, colour=MUTED, width=width, align=align)
    paper.ln(7)
    paper.rule(INK)
    for line in receipt.lines:
        paper.ln(3)
        paper.write(line.name, bold=True, width=_COLUMNS[0])
        paper.write(str(line.quantity) if line.quantity else "", width=_COLUMNS[1], align="R")
        paper.write(str(line.unit) if line.quantity else "", width=_COLUMNS[2], align="R")
        paper.write(str(line.total), width=_COLUMNS[3], align="R", newline=True)
        if line.detail:
            paper.note(line.detail, width=_COLUMNS[0] + 30)
        paper.ln(3)
        paper.rule(LINE)


def _sums(paper: Paper, receipt: Receipt) -> None:
    paper.ln(5)
    for label, amount in receipt.sums:
        paper.x = MARGIN + 60
        paper.write(label, width=75)
        paper.write(str(amount), width=35, align="R", newline=True)
    paper.x = MARGIN + 60
    paper.write(receipt.total_label, size=13, bold=True, width=65)
    paper.write(
        str(receipt.total),
        size=13,
        bold=True,
        colour=receipt.accent,
        width=45,
        align="R",
        newline=True,
    )
    for label, amount in receipt.contained:
        paper.x = MARGIN + 60
        paper.write(label, size=9, colour=MUTED, width=75)
        paper.write(str(amount), size=9, colour=MUTED, width=35, align="R", newline=True)


def _foot(paper: Paper, receipt: Receipt) -> None:
    paper.ln(12)
    if receipt.note:
        paper.note(receipt.note, width=WIDTH)
        paper.ln(4)
    if receipt.thanks:
        paper.write(receipt.thanks, width=WIDTH, newline=True)
    paper.write(receipt.site, size=9, colour=MUTED, width=WIDTH, newline=True)
