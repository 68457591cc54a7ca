"""Receipts, invoices and credit notes as PDF: A4, fonts embedded so that names of any Latin, Greek,
Cyrillic … script print as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from markethall.kernel.money import Money

if TYPE_CHECKING:
    from fpdf import FPDF

_FONTS = Path(__file__).parent / "fonts"
INK, MUTED, LINE = (32, 29, 26), (110, 104, 98), (222, 217, 210)
_MARGIN, _WIDTH = 20, 170  # mm
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
    paper = new_paper(f"{receipt.title} {receipt.number}", receipt.storefront, receipt.at)
    paper.add_page()
    head(paper, receipt.storefront, receipt.title, receipt.accent)
    _parties(paper, receipt)
    _table(paper, receipt)
    _sums(paper, receipt)
    _foot(paper, receipt)
    return bytes(paper.output())


def new_paper(title: str, author: str, at: datetime) -> FPDF:
    """An empty A4 document with the fonts of all papers."""
    from fpdf import FPDF  # half a second, which a start need not wait for

    paper = FPDF(format="A4")
    paper.set_margins(_MARGIN, _MARGIN, _MARGIN)
    paper.set_auto_page_break(True, margin=25)
    paper.add_font("DejaVu", "", str(_FONTS / "DejaVuSans.ttf"))
    paper.add_font("DejaVu", "B", str(_FONTS / "DejaVuSans-Bold.ttf"))
    paper.set_title(title)
    paper.set_author(author)
    paper.set_creation_date(at)
    return paper


def head(paper: FPDF, storefront: str, title: str, accent: tuple[int, int, int]) -> None:
    """The coloured edge, whose paper it is, and what it is."""
    paper.set_fill_color(*accent)
    paper.rect(0, 0, 210, 4, style="F")
    paper.set_y(22)
    write(paper, storefront, size=22, bold=True, colour=accent, width=100)
    write(paper, title, size=22, colour=INK, width=70, align="R", newline=True)
    paper.ln(10)


def _parties(paper: FPDF, receipt: Receipt) -> None:
    top = paper.get_y()
    for title, lines in receipt.parties:
        write(paper, title, size=9, colour=MUTED, width=78, newline=True)
        for place, line in enumerate(lines):
            write(paper, line, bold=not place, size=9.5, width=78, newline=True, height=5)
        paper.ln(3)
    bottom = paper.get_y()
    paper.set_y(top)
    for name, value in receipt.facts:
        paper.set_x(_MARGIN + 82)
        write(paper, name, size=9, colour=MUTED, width=34)
        write(paper, value, size=9, width=54, align="R", newline=True)
    paper.ln(3)
    for line in receipt.seller:
        paper.set_x(_MARGIN + 82)
        write(paper, line, size=9, colour=MUTED, width=88, align="R", newline=True, height=4.5)
    paper.set_y(max(bottom, paper.get_y()) + 8)


def _table(paper: FPDF, receipt: Receipt) -> None:
    for width, title in zip(_COLUMNS, ("Item", "Quantity", "Price", "Amount"), strict=True):
        align = "L" if title == "Item" else "R"
        write(paper, title, size=9, colour=MUTED, width=width, align=align)
    paper.ln(7)
    rule(paper, INK)
    for line in receipt.lines:
        paper.ln(3)
        write(paper, line.name, bold=True, width=_COLUMNS[0])
        write(paper, str(line.quantity) if line.quantity else "", width=_COLUMNS[1], align="R")
        write(paper, str(line.unit) if line.quantity else "", width=_COLUMNS[2], align="R")
        write(paper, str(line.total), width=_COLUMNS[3], align="R", newline=True)
        if line.detail:
            note(paper, line.detail, width=_COLUMNS[0] + 30)
        paper.ln(3)
        rule(paper, LINE)


def _sums(paper: FPDF, receipt: Receipt) -> None:
    paper.ln(5)
    for label, amount in receipt.sums:
        paper.set_x(_MARGIN + 60)
        write(paper, label, width=75)
        write(paper, str(amount), width=35, align="R", newline=True)
    paper.set_x(_MARGIN + 60)
    write(paper, receipt.total_label, size=13, bold=True, width=65)
    write(
        paper,
        str(receipt.total),
        size=13,
        bold=True,
        colour=receipt.accent,
        width=45,
        align="R",
        newline=True,
    )
    for label, amount in receipt.contained:
        paper.set_x(_MARGIN + 60)
        write(paper, label, size=9, colour=MUTED, width=75)
        write(paper, str(amount), size=9, colour=MUTED, width=35, align="R", newline=True)


def _foot(paper: FPDF, receipt: Receipt) -> None:
    paper.ln(12)
    if receipt.note:
        note(paper, receipt.note, width=_WIDTH)
        paper.ln(4)
    if receipt.thanks:
        write(paper, receipt.thanks, width=_WIDTH, newline=True)
    write(paper, receipt.site, size=9, colour=MUTED, width=_WIDTH, newline=True)


def note(paper: FPDF, text: str, *, width: float) -> None:
    """Small print, as many lines as it takes."""
    paper.set_text_color(*MUTED)
    paper.set_font("DejaVu", "", 9)
    paper.multi_cell(width, 4.5, text, align="L", new_x="LMARGIN", new_y="NEXT")


def rule(paper: FPDF, colour: tuple[int, int, int]) -> None:
    """A line across the paper."""
    paper.set_draw_color(*colour)
    paper.set_line_width(0.2)
    paper.line(_MARGIN, paper.get_y(), _MARGIN + _WIDTH, paper.get_y())


def write(
    paper: FPDF,
    text: str,
    *,
    width: float,
    size: float = 10.5,
    bold: bool = False,
    colour: tuple[int, int, int] = INK,
    align: str = "L",
    newline: bool = False,
    height: float = 6,
) -> None:
    """One cell of text, made smaller until it fits its width."""
    paper.set_text_color(*colour)
    paper.set_font("DejaVu", "B" if bold else "", size)
    while size > 6 and paper.get_string_width(text) > width - 2:
        size -= 0.5
        paper.set_font("DejaVu", "B" if bold else "", size)
    paper.cell(
        width,
        height,
        text,
        align=align,
        new_x="LMARGIN" if newline else "RIGHT",
        new_y="NEXT" if newline else "TOP",
    )
