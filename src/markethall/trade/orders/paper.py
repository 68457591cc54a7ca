"""A4 papers as PDF, from top to bottom: lines of text, rules and boxes. What their scripts print
with stands in ``scripts``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from threading import RLock

from markethall.trade.orders.scripts import BOLD, PLAIN, Run, fonts, runs_of

Colour = tuple[int, int, int]
INK, MUTED, LINE = (32, 29, 26), (110, 104, 98), (222, 217, 210)
MARGIN, WIDTH = 20, 170  # mm
_HEIGHT, _BOTTOM = 297, 25  # mm
_MM = 72 / 25.4  # points
_INSET = 1  # mm between the edge of a cell and its text
_SMALLEST = 6  # points
# The fonts belong to the process, and are cut down for one document at a time.
_cutting = RLock()


class Paper:
    """A document that is written from top to bottom. ``x`` and ``y`` are where the next cell
    stands, in millimetres from the page's upper left corner. The same calls make the same bytes."""

    def __init__(self, title: str, author: str, at: datetime) -> None:
        from reportlab.pdfgen.canvas import Canvas  # a fifth of a second, not at every start

        with _cutting:
            fonts()  # read once, by one thread
        self._file = BytesIO()
        # Nothing of a paper's bytes is by chance; its date is the one that is asked for.
        self._canvas = Canvas(
            self._file, pagesize=(210 * _MM, _HEIGHT * _MM), pageCompression=1, invariant=1
        )
        self._canvas.setTitle(title)
        self._canvas.setAuthor(author)
        self._canvas.setCreator("Markethall")
        self._canvas.setDateFormatter(lambda *_: f"D:{at.astimezone(UTC):%Y%m%d%H%M%S}Z")
        self.has_page = False
        self.x: float = MARGIN
        self.y: float = MARGIN

    def add_page(self) -> None:
        """Go on at the top of a new page."""
        if self.has_page:
            self._canvas.showPage()
        self.has_page = True
        self.x, self.y = MARGIN, MARGIN

    def head(self, left: str, right: str, accent: Colour) -> None:
        """The coloured edge of a page, whose paper it is, and what it is."""
        self._canvas.setFillColorRGB(*_shares(accent))
        self._box(0, 0, 210, 4, fill=1, stroke=0)
        self.y = 22
        self.write(left, size=22, bold=True, colour=accent, width=100)
        self.write(right, size=22, width=70, align="R", newline=True)
        self.ln(10)

    def ln(self, height: float) -> None:
        """Go down by ``height``, to the left margin."""
        self.x, self.y = MARGIN, self.y + height

    def rule(self, colour: Colour) -> None:
        """A line across the page."""
        self._canvas.setStrokeColorRGB(*_shares(colour))
        self._canvas.setLineWidth(0.2 * _MM)
        height = (_HEIGHT - self.y) * _MM
        self._canvas.line(MARGIN * _MM, height, (MARGIN + WIDTH) * _MM, height)

    def tick_box(self, side: float, *, width: float) -> None:
        """An empty square to be ticked, in a cell of ``width``."""
        self._make_room(6)
        self._canvas.setStrokeColorRGB(*_shares(INK))
        self._canvas.setLineWidth(0.3 * _MM)
        self._box(self.x + _INSET, self.y + (6 - side) / 2, side, side, fill=0, stroke=1)
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
        room = (width - 2 * _INSET) * _MM
        runs = runs_of(text, BOLD if bold else PLAIN)
        while size > _SMALLEST and _width(runs, size) > room:
            size -= 0.5
        left = (self.x + _INSET) * _MM
        if align == "R":
            left += room - _width(runs, size)
        self._canvas.setFillColorRGB(*_shares(colour))
        below = (_HEIGHT - self.y - height / 2) * _MM - 0.3 * size
        self._draw(runs, size, left, below)
        self.x += width
        if newline:
            self.ln(height)

    def _draw(self, runs: Sequence[Run], size: float, left: float, below: float) -> None:
        if len(runs) == 1:
            self._canvas.setFont(runs[0].font.fontName, size)
            self._canvas.drawString(left, below, runs[0].text)
            return
        cell = self._canvas.beginText(left, below)
        for run in runs:
            cell.setFont(run.font.fontName, size)
            cell.textOut(run.text)
        self._canvas.drawText(cell)

    def note(self, text: str, *, width: float) -> None:
        """Small print, as many lines as it takes."""
        room = (width - 2 * _INSET) * _MM
        for paragraph in text.splitlines():
            for line in _wrapped(paragraph, lambda part: _width(runs_of(part, PLAIN), 9) <= room):
                self.write(line, size=9, colour=MUTED, width=width, newline=True, height=4.5)

    def content(self) -> bytes:
        """The whole document as a PDF file."""
        with _cutting:
            self._canvas.save()
        return self._file.getvalue()

    def _make_room(self, height: float) -> None:
        if self.y + height > _HEIGHT - _BOTTOM:
            left = self.x
            self.add_page()
            self.x = left

    def _box(self, x: float, y: float, width: float, height: float, **how: int) -> None:
        below = (_HEIGHT - y - height) * _MM
        self._canvas.rect(x * _MM, below, width * _MM, height * _MM, **how)


def _wrapped(paragraph: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Lines that fit: broken between words, and within one that is too long alone."""
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


def _shares(colour: Colour) -> tuple[float, ...]:
    return tuple(part / 255 for part in colour)


def _width(runs: Sequence[Run], size: float) -> float:
    if len(runs) == 1:
        return float(runs[0].font.stringWidth(runs[0].text, size))
    return sum(run.font.stringWidth(run.text, size) for run in runs)
