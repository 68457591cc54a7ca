"""The receipt as a PDF: A4, fonts embedded so that names of any Latin, Greek, Cyrillic … script
print as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from markethall.kernel.money import Money

_FONTS = Path(__file__).parent / "fonts"
_INK, _MUTED, _LINE = (32, 29, 26), (110, 104, 98), (222, 217, 210)
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
    """Everything a receipt says."""

    number: str
    storefront: str
    accent: tuple[int, int, int]
    site: str
    customer: str
    email: str
    paid_at: datetime
    payment: str
    payment_ref: str
    lines: Sequence[ReceiptLine]
    total: Money


def render(receipt: Receipt) -> bytes:
    """The receipt as a PDF document. Touches nothing but the font files."""
    paper = FPDF(format="A4")
    paper.set_margins(_MARGIN, _MARGIN, _MARGIN)
    paper.set_auto_page_break(True, margin=25)
    paper.add_font("DejaVu", "", str(_FONTS / "DejaVuSans.ttf"))
    paper.add_font("DejaVu", "B", str(_FONTS / "DejaVuSans-Bold.ttf"))
    paper.set_title(f"Receipt {receipt.number}")
    paper.set_author(receipt.storefront)
    paper.set_creation_date(receipt.paid_at)
    paper.add_page()
    _head(paper, receipt)
    _parties(paper, receipt)
    _table(paper, receipt)
    _total(paper, receipt)
    _foot(paper, receipt)
    return bytes(paper.output())


def _head(paper: FPDF, receipt: Receipt) -> None:
    paper.set_fill_color(*receipt.accent)
    paper.rect(0, 0, 210, 4, style="F")
    paper.set_y(22)
    _write(paper, receipt.storefront, size=22, bold=True, colour=receipt.accent, width=100)
    _write(paper, "Receipt", size=22, colour=_INK, width=70, align="R", newline=True)
    paper.ln(10)


def _parties(paper: FPDF, receipt: Receipt) -> None:
    top = paper.get_y()
    _label(paper, "Billed to")
    if receipt.customer:
        _write(paper, receipt.customer, bold=True, width=85, newline=True)
    _write(paper, receipt.email, width=85, newline=True)
    bottom = paper.get_y()
    facts = (
        ("Order", receipt.number),
        ("Date of payment", f"{receipt.paid_at:%d %B %Y}".lstrip("0")),
        ("Paid with", receipt.payment),
        ("Payment reference", receipt.payment_ref),
    )
    paper.set_y(top)
    for name, value in facts:
        paper.set_x(_MARGIN + 82)
        _write(paper, name, size=9, colour=_MUTED, width=34)
        _write(paper, value, size=9, width=54, align="R", newline=True)
    paper.set_y(max(bottom, paper.get_y()) + 12)


def _table(paper: FPDF, receipt: Receipt) -> None:
    for width, title in zip(_COLUMNS, ("Item", "Quantity", "Price", "Amount"), strict=True):
        align = "L" if title == "Item" else "R"
        _write(paper, title, size=9, colour=_MUTED, width=width, align=align)
    paper.ln(7)
    _rule(paper, _INK)
    for line in receipt.lines:
        paper.ln(3)
        _write(paper, line.name, bold=True, width=_COLUMNS[0])
        _write(paper, str(line.quantity), width=_COLUMNS[1], align="R")
        _write(paper, str(line.unit), width=_COLUMNS[2], align="R")
        _write(paper, str(line.total), width=_COLUMNS[3], align="R", newline=True)
        if line.detail:
            _write(paper, line.detail, size=9, colour=_MUTED, width=_WIDTH, newline=True)
        paper.ln(3)
        _rule(paper, _LINE)


def _total(paper: FPDF, receipt: Receipt) -> None:
    paper.ln(5)
    paper.set_x(_MARGIN + 80)
    _write(paper, "Total paid", size=13, bold=True, width=45)
    _write(
        paper,
        str(receipt.total),
        size=13,
        bold=True,
        colour=receipt.accent,
        width=45,
        align="R",
        newline=True,
    )


def _foot(paper: FPDF, receipt: Receipt) -> None:
    paper.ln(16)
    _write(paper, f"Thank you for buying at {receipt.storefront}.", width=_WIDTH, newline=True)
    _write(paper, receipt.site, size=9, colour=_MUTED, width=_WIDTH, newline=True)


def _label(paper: FPDF, text: str) -> None:
    _write(paper, text, size=9, colour=_MUTED, width=85, newline=True)


def _rule(paper: FPDF, colour: tuple[int, int, int]) -> None:
    paper.set_draw_color(*colour)
    paper.set_line_width(0.2)
    paper.line(_MARGIN, paper.get_y(), _MARGIN + _WIDTH, paper.get_y())


def _write(
    paper: FPDF,
    text: str,
    *,
    width: float,
    size: float = 10.5,
    bold: bool = False,
    colour: tuple[int, int, int] = _INK,
    align: str = "L",
    newline: bool = False,
) -> None:
    """One cell of text, made smaller until it fits its width."""
    paper.set_text_color(*colour)
    paper.set_font("DejaVu", "B" if bold else "", size)
    while size > 6 and paper.get_string_width(text) > width - 2:
        size -= 0.5
        paper.set_font("DejaVu", "B" if bold else "", size)
    paper.cell(
        width,
        6,
        text,
        align=align,
        new_x=XPos.LMARGIN if newline else XPos.RIGHT,
        new_y=YPos.NEXT if newline else YPos.TOP,
    )
