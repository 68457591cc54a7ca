"""A4 papers as PDF 1.7, from top to bottom: lines of text, rules and boxes, with the fonts they
are set in. Names of any Latin, Greek, Cyrillic … script print as they are written."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from markethall.trade.orders.typeface import typeface

Colour = tuple[int, int, int]
INK, MUTED, LINE = (32, 29, 26), (110, 104, 98), (222, 217, 210)
MARGIN, WIDTH = 20, 170  # mm
_HEIGHT, _BOTTOM = 297, 25  # mm
_POINT = 25.4 / 72  # mm
_INSET = 1  # mm between the edge of a cell and its text
_SMALLEST = 6  # points
_FONTS = {False: "DejaVuSans", True: "DejaVuSans-Bold"}  # by whether it is bold
_CATALOGUE, _PAGES, _ABOUT = 1, 2, 3  # the first objects of a file


class Paper:
    """A document that is written from top to bottom. ``x`` and ``y`` are where the next cell
    stands, in millimetres from the page's upper left corner. The same calls make the same bytes."""

    def __init__(self, title: str, author: str, at: datetime) -> None:
        self._about = (title, author, at)
        self._pages: list[list[str]] = []
        self._used: dict[bool, set[int]] = {bold: set() for bold in _FONTS}
        self.x: float = MARGIN
        self.y: float = MARGIN

    def add_page(self) -> None:
        """Go on at the top of a new page."""
        self._pages.append([])
        self.x, self.y = MARGIN, MARGIN

    def head(self, left: str, right: str, accent: Colour) -> None:
        """The coloured edge of a page, whose paper it is, and what it is."""
        self._draw(f"{_rgb(accent)} rg {_box(0, 0, 210, 4)} f")
        self.y = 22
        self.write(left, size=22, bold=True, colour=accent, width=100)
        self.write(right, size=22, width=70, align="R", newline=True)
        self.ln(10)

    def ln(self, height: float) -> None:
        """Go down by ``height``, to the left margin."""
        self.x, self.y = MARGIN, self.y + height

    def rule(self, colour: Colour) -> None:
        """A line across the page."""
        across = f"{_at(MARGIN, self.y)} m {_at(MARGIN + WIDTH, self.y)} l"
        self._draw(f"{_rgb(colour)} RG {_number(0.2 / _POINT)} w {across} S")

    def tick_box(self, side: float, *, width: float) -> None:
        """An empty square to be ticked, in a cell of ``width``."""
        self._make_room(6)
        square = _box(self.x + _INSET, self.y + (6 - side) / 2, side, side)
        self._draw(f"{_rgb(INK)} RG {_number(0.3 / _POINT)} w {square} S")
        self.x += width

    def write(
        self,
        text: str,
        *,
        width: float,
        size: float = 10.5,
        bold: bool = False,
        colour: Colour = INK,
        align: str = "L",
        newline: bool = False,
        height: float = 6,
    ) -> None:
        """One cell of text, set smaller until it fits its width. ``size`` is in points; ``align``
        is L or R."""
        self._make_room(height)
        face, used = typeface(_FONTS[bold]), self._used[bold]
        glyphs = [face.glyph(character) for character in text]
        used.update(glyphs)
        each = sum(map(face.advance, glyphs)) / face.em * _POINT  # mm, at a size of one point
        while size > _SMALLEST and each * size > width - 2 * _INSET:
            size -= 0.5
        if glyphs:
            left = self.x + (width - _INSET - each * size if align == "R" else _INSET)
            place = _at(left, self.y + height / 2 + 0.3 * size * _POINT)
            shown = "".join(f"{glyph:04X}" for glyph in glyphs)
            self._draw(
                f"BT {_rgb(colour)} rg /F{bold:d} {_number(size)} Tf {place} Td <{shown}> Tj ET"
            )
        self.x += width
        if newline:
            self.ln(height)

    def note(self, text: str, *, width: float) -> None:
        """Small print, as many lines as it takes."""
        face, most = typeface(_FONTS[False]), (width - 2 * _INSET) / _POINT / 9
        for line in _wrapped(text, lambda part: face.width(part) <= most):
            self.write(line, size=9, colour=MUTED, width=width, newline=True, height=4.5)

    def content(self) -> bytes:
        """The whole document as a PDF file."""
        file = _File()
        fonts = " ".join(
            f"/F{bold:d} {_font(file, _FONTS[bold], used)}"
            for bold, used in self._used.items()
            if used
        )
        pages = []
        for drawn in self._pages:
            content = file.stream("\n".join(drawn).encode())
            page = f"/Contents {content}/Resources<</Font<<{fonts}>>>>/MediaBox[0 0 595.28 841.89]"
            pages.append(file.add(f"/Type/Page/Parent {_PAGES} 0 R{page}"))
        file.put(_CATALOGUE, f"/Type/Catalog/Pages {_PAGES} 0 R")
        file.put(_PAGES, f"/Type/Pages/Count {len(pages)}/Kids[{' '.join(pages)}]")
        title, author, at = self._about
        date = f"(D:{at.astimezone(UTC):%Y%m%d%H%M%S}Z)"
        file.put(_ABOUT, f"/Title {_text(title)}/Author {_text(author)}/CreationDate{date}")
        return file.content()

    def _make_room(self, height: float) -> None:
        if self.y + height > _HEIGHT - _BOTTOM:
            left = self.x
            self.add_page()
            self.x = left

    def _draw(self, what: str) -> None:
        self._pages[-1].append(what)


class _File:
    """The numbered objects of a PDF file."""

    def __init__(self) -> None:
        self._objects: list[bytes] = [b""] * _ABOUT

    def put(self, number: int, entries: str, stream: bytes | None = None) -> None:
        """Set an object: a dictionary, and what it describes."""
        body = b"" if stream is None else b"\nstream\n" + stream + b"\nendstream"
        self._objects[number - 1] = f"<<{entries}>>".encode() + body

    def add(self, entries: str, stream: bytes | None = None) -> str:
        """Set one object more, and return what refers to it."""
        self._objects.append(b"")
        self.put(len(self._objects), entries, stream)
        return f"{len(self._objects)} 0 R"

    def stream(self, content: bytes, entries: str = "") -> str:
        """Add ``content``, compressed, and return what refers to it."""
        packed = zlib.compress(content)
        return self.add(f"/Filter/FlateDecode/Length {len(packed)}{entries}", packed)

    def content(self) -> bytes:
        """The file with its table of where each object stands."""
        parts, places, at = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"], [], 15
        for number, body in enumerate(self._objects, 1):
            places.append(at)
            parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
            at += len(parts[-1])
        count = len(places) + 1
        parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        parts += [b"%010d 00000 n \n" % place for place in places]
        roots = b"/Size %d/Root %d 0 R/Info %d 0 R" % (count, _CATALOGUE, _ABOUT)
        parts.append(b"trailer\n<<%b>>\nstartxref\n%d\n%%%%EOF\n" % (roots, at))
        return b"".join(parts)


def _font(file: _File, name: str, used: set[int]) -> str:
    """Add the part of a font that draws the glyphs ``used``, and which characters they stand for;
    returns what refers to it. A glyph is called by its own number."""
    face, name = typeface(name), f"MARKET+{name}"
    glyphs = sorted(used)

    def scaled(length: int) -> int:
        return round(length * 1000 / face.em)

    font_file = face.cut(glyphs)
    embedded = file.stream(font_file, f"/Length1 {len(font_file)}")
    box = " ".join(str(scaled(edge)) for edge in face.box)
    described = file.add(
        f"/Type/FontDescriptor/FontName/{name}/Flags 4/ItalicAngle 0/StemV 80/FontBBox[{box}]"
        f"/Ascent {scaled(face.ascent)}/Descent {scaled(face.descent)}"
        f"/CapHeight {scaled(face.ascent)}/FontFile2 {embedded}"
    )
    widths = " ".join(f"{glyph}[{scaled(face.advance(glyph))}]" for glyph in glyphs)
    by_number = file.add(
        f"/Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDToGIDMap/Identity/W[{widths}]"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {described}"
    )
    meanings = file.stream(_meanings({glyph: face.character(glyph) for glyph in glyphs}).encode())
    return file.add(
        f"/Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
        f"/DescendantFonts[{by_number}]/ToUnicode {meanings}"
    )


def _meanings(shown: dict[int, str]) -> str:
    """The character of each glyph, for whoever searches or copies text. At most a hundred go
    into one block."""
    rows = [f"<{glyph:04X}> <{ord(character):04X}>" for glyph, character in shown.items()]
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
            *(
                line
                for block in blocks
                for line in (f"{len(block)} beginbfchar", *block, "endbfchar")
            ),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    )


def _wrapped(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """``text`` in lines that fit: broken between words, and within one that is too long alone."""
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split(" "):
            if fits(longer := f"{line} {word}" if line else word):
                line = longer
                continue
            if line:
                yield line
            line = word
            while not fits(line):
                length = next(n for n in range(1, len(line) + 1) if not fits(line[: n + 1]))
                yield line[:length]
                line = line[length:]
        yield line


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _at(x: float, y: float) -> str:
    """A place, given in millimetres from the upper left corner, as PDF counts: from below."""
    return f"{_number(x / _POINT)} {_number((_HEIGHT - y) / _POINT)}"


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"{_at(x, y + height)} {_number(width / _POINT)} {_number(height / _POINT)} re"


def _rgb(colour: Colour) -> str:
    return " ".join(_number(part / 255) for part in colour)


def _text(text: str) -> str:
    return f"<feff{text.encode('utf-16-be', 'replace').hex()}>"
