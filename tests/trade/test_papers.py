"""What is printed: invoices, pick lists and packing slips as PDF."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from functools import partial

import pytest
from pypdf import PdfReader

from house.parallel import together
from markethall.kernel.money import Money
from markethall.trade.orders.packing import PickRow, Slip, packing_slips, pick_list
from markethall.trade.orders.receipt import Receipt, ReceiptLine, render

_AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def _invoice(*, name: str = "Ada Lovelace", note: str = "", lines: int = 1) -> bytes:
    price = Money(129_900, "EUR")
    return render(
        Receipt(
            title="Invoice",
            number="MH-AB12-CD34",
            storefront="ELYSIUM",
            accent=(90, 60, 20),
            site="https://example.com/elysium",
            seller=["Markethall"],
            parties=[("Billed to", [name, "Berlin"])],
            facts=[("Order", "MH-AB12-CD34")],
            at=_AT,
            lines=[ReceiptLine(f"Ring {n}", "Gold", 1, price, price) for n in range(lines)],
            sums=[],
            total_label="Total paid",
            total=price,
            note=note,
        )
    )


def _printed(pdf: bytes) -> list[list[str]]:
    """The cells of each page, as a reader that copies their text gets them."""
    return [page.extract_text().splitlines() for page in PdfReader(io.BytesIO(pdf)).pages]


def _drawn(pdf: bytes) -> list[str]:
    """What draws each page."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return [page.get_contents().get_data().decode("latin-1") for page in pages]


def test_what_is_written_is_read() -> None:
    name = "Ελένη Ивановна Şahin Łódź Đặng Հայկ"
    (cells,) = _printed(_invoice(name=name, note="One — “two”"))
    assert cells[:5] == ["ELYSIUM", "Invoice", "Billed to", name, "Berlin"]
    assert cells[-4:] == ["Total paid", "€1,299.00", "One — “two”", "https://example.com/elysium"]


@pytest.mark.parametrize(
    ("name", "fonts"),
    [
        ("李小龙 Bruce", {"STSong-Light"}),
        ("鄧麗君", {"MSung-Light"}),
        ("さくら 桜木花道", {"HeiseiKakuGo-W5"}),
        ("畑中", {"HeiseiKakuGo-W5"}),
        ("김연아 李", {"HYGothic-Medium"}),
        ("朱镕基", {"STSong-Light"}),
        ("Ada Lovelace", set()),
    ],
)
def test_chinese_japanese_and_korean_print_with_a_font_of_theirs(
    name: str, fonts: set[str]
) -> None:
    paper = _invoice(name=name)
    (cells,) = _printed(paper)
    assert name in cells
    page = PdfReader(io.BytesIO(paper)).pages[0]
    named = {str(font["/BaseFont"])[1:] for font in page["/Resources"]["/Font"].values()}
    assert {each for each in named if "DejaVu" not in each and each != "Helvetica"} == fonts
    assert len(paper) < len(_invoice()) + 4_000


def test_what_no_font_has_is_marked_and_breaks_nothing() -> None:
    (cells,) = _printed(_invoice(name="Li ไ \x07\ud800 B", note="a\tb"))
    assert "Li ?    B" in cells
    assert "a b" in cells


def test_the_same_paper_is_the_same_bytes() -> None:
    assert _invoice() == _invoice()
    assert _invoice() != _invoice(name="Bob")


def test_a_paper_says_what_it_is_and_when_it_was_made() -> None:
    about = PdfReader(io.BytesIO(_invoice())).metadata
    assert about is not None
    assert (about.title, about.author) == ("Invoice MH-AB12-CD34", "ELYSIUM")
    assert about.creation_date == _AT


def test_long_papers_go_on_on_the_next_page() -> None:
    pages = _printed(_invoice(lines=40))
    assert len(pages) == 3
    assert [cell for page in pages for cell in page if cell.startswith("Ring")] == [
        f"Ring {number}" for number in range(40)
    ]


def test_long_notes_are_broken_between_words_and_long_words_within() -> None:
    note = f"{'word ' * 60}\n\n{'x' * 300}"
    cells = _printed(_invoice(note=note))[0]
    worded = [cell for cell in cells if cell.startswith("word")]
    assert len(worded) > 1
    assert all(cell.rstrip().endswith("word") for cell in worded)
    pieces = [cell for cell in cells if set(cell) == {"x"}]
    assert len(pieces) > 1
    assert "".join(pieces) == "x" * 300


def test_what_is_too_long_for_its_cell_is_set_smaller() -> None:
    (page,) = _drawn(_invoice(name="Ada " * 12))
    sizes = [float(size) for size in re.findall(r"/F\S+ ([\d.]+) Tf", page)]
    assert 6 <= min(sizes) < 9


def test_only_the_letters_that_are_drawn_are_embedded() -> None:
    assert len(_invoice()) < 40_000  # the two fonts are 260,072 bytes


def test_a_pick_list_keeps_a_box_with_its_row() -> None:
    rows = [PickRow(f"EL-{n}", f"Ring {n}", "Gold", 1, ["MH-1"]) for n in range(40)]
    listed = pick_list(rows, _AT)
    named = [sum(cell.startswith("Ring") for cell in page) for page in _printed(listed)]
    assert len(named) > 1
    assert [len(re.findall(r" re S", page)) for page in _drawn(listed)] == named


def test_papers_are_drawn_side_by_side() -> None:
    """Workers have several threads, and the fonts are one process's."""
    notes = [f"{letter * 40} — {letter}" for letter in "abcdefgh"]
    made = together([partial(_invoice, note=note) for note in notes])
    assert made == [_invoice(note=note) for note in notes]


def test_every_slip_has_a_page() -> None:
    slip = Slip("MH-1", "ELYSIUM", (0, 0, 0), "x", ["Ada"], "Insured", "", [(2, "Ring", "Gold")])
    pages = _printed(packing_slips([slip, slip], _AT))
    assert [page[:2] for page in pages] == [["ELYSIUM", "Packing slip"]] * 2
    assert "2 ×" in pages[0]
