"""What is printed: invoices, pick lists and packing slips as PDF."""

from __future__ import annotations

import io
import re
import struct
import zlib
from datetime import UTC, datetime
from itertools import pairwise

from PIL import ImageFont

from markethall.kernel.money import Money
from markethall.trade.orders.packing import PickRow, Slip, packing_slips, pick_list
from markethall.trade.orders.receipt import Receipt, ReceiptLine, render
from markethall.trade.orders.typeface import typeface

_AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
_STREAM = re.compile(rb"<<([^\n]*)>>\nstream\n(.*?)\nendstream", re.DOTALL)


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


def _streams(pdf: bytes) -> list[bytes]:
    found = []
    for entries, packed in _STREAM.findall(pdf):
        assert f"/Length {len(packed)}".encode() in entries
        found.append(zlib.decompress(packed))
    return found


def _printed(pdf: bytes) -> list[list[str]]:
    """The cells of each page, as a reader that copies their text gets them."""
    streams = _streams(pdf)
    maps = [
        {row[0]: chr(int(row[1], 16)) for row in re.findall(r"<(\w{4})> <(\w{4})>\n", text)}
        for text in (each.decode() for each in streams if b"beginbfchar" in each)
    ]
    pages = [each.decode() for each in streams if b" Tj " in each]
    return [
        [
            "".join(maps[int(font)][code] for code in re.findall("....", shown))
            for font, shown in re.findall(r"/F(\d) .*<(\w+)> Tj", page)
        ]
        for page in pages
    ]


def test_what_is_written_is_read() -> None:
    name = "Ελένη Ивановна Şahin Łódź Đặng Հայկ"
    (cells,) = _printed(_invoice(name=name, note="One — “two”"))
    assert cells[:5] == ["ELYSIUM", "Invoice", "Billed to", name, "Berlin"]
    assert cells[-4:] == ["Total paid", "€1,299.00", "One — “two”", "https://example.com/elysium"]


def test_what_no_font_has_is_left_blank_and_breaks_nothing() -> None:
    (cells,) = _printed(_invoice(name="Li 李 \x07\ud800", note="a\tb"))
    assert "Li \ufffd   " in cells
    assert "a b" in cells


def test_the_same_paper_is_the_same_bytes() -> None:
    assert _invoice() == _invoice()
    assert _invoice() != _invoice(name="Bob")


def test_every_object_stands_where_the_table_says() -> None:
    pdf = _invoice(lines=40)
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[1])  # type: ignore[index]
    assert pdf[start:].startswith(b"xref\n")
    places = [int(place) for place in re.findall(rb"\n(\d{10}) 00000 n ", pdf[start:])]
    assert len(places) > 8
    for number, place in enumerate(places, 1):
        assert pdf[place:].startswith(b"%d 0 obj\n" % number)


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
    pages = [each.decode() for each in _streams(_invoice(name="Ada " * 12)) if b" Tj " in each]
    sizes = [float(size) for size in re.findall(r"/F1 ([\d.]+) Tf", pages[0])]
    assert 6 <= min(sizes) < 9


def test_a_font_is_cut_down_to_what_is_drawn() -> None:
    face = typeface("DejaVuSans")
    wanted = {face.glyph(character) for character in "Aé"}
    cut = face.cut(wanted)
    assert len(cut) < 20_000  # of 129,444, and mostly zeros
    ImageFont.truetype(io.BytesIO(cut), 20)  # a font that can be read
    count = struct.unpack_from(">H", cut, 4)[0]
    tables = {
        row[0]: cut[row[2] : row[2] + row[3]]
        for row in struct.iter_unpack(">4sLLL", cut[12 : 12 + 16 * count])
    }
    starts = struct.unpack(f">{len(tables[b'loca']) // 4}L", tables[b"loca"])
    drawn = {n for n, (a, b) in enumerate(pairwise(starts)) if b > a}
    assert wanted < drawn  # é is drawn as an e and an accent
    assert face.glyph("e") in drawn
    assert face.glyph("B") not in drawn
    assert starts[-1] == len(tables[b"glyf"])
    assert struct.unpack_from(">H", tables[b"hmtx"], 4 * face.glyph("A"))[0] == face.advance(
        face.glyph("A")
    )


def test_a_pick_list_keeps_a_box_with_its_row() -> None:
    rows = [PickRow(f"EL-{n}", f"Ring {n}", "Gold", 1, ["MH-1"]) for n in range(40)]
    pages = [each.decode() for each in _streams(pick_list(rows, _AT)) if b" Tj " in each]
    assert len(pages) > 1
    assert [page.count(" re S") for page in pages] == [page.count(" Tj ET") // 4 for page in pages]


def test_every_slip_has_a_page() -> None:
    slip = Slip("MH-1", "ELYSIUM", (0, 0, 0), "x", ["Ada"], "Insured", "", [(2, "Ring", "Gold")])
    pages = _printed(packing_slips([slip, slip], _AT))
    assert [page[:2] for page in pages] == [["ELYSIUM", "Packing slip"]] * 2
    assert "2 ×" in pages[0]
