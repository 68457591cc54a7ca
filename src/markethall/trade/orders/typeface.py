"""TrueType fonts, read once per process, and what of one a document needs to show its text."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_FONTS = Path(__file__).parent / "fonts"
# What a PDF needs of a font: it brings names, characters and widths itself.
_NEEDED = ("glyf", "head", "hhea", "hmtx", "loca", "maxp")
_WORDS, _SCALE, _MORE, _TWO_SCALES, _MATRIX = 0x01, 0x08, 0x20, 0x40, 0x80
_NO_GLYPH = 0  # by the format: the box that stands for what a font has not


class Typeface:
    """One font file of TrueType outlines. Lengths are in units, of which ``em`` have the height
    of the font."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self._tables: dict[str, bytes] = {}
        for number in range(struct.unpack_from(">H", data, 4)[0]):
            tag, _, at, length = struct.unpack_from(">4sLLL", data, 12 + 16 * number)
            self._tables[tag.decode()] = data[at : at + length]
        head, hhea = self._tables["head"], self._tables["hhea"]
        self.em: int = struct.unpack_from(">H", head, 18)[0]
        self.box: tuple[int, ...] = struct.unpack_from(">4h", head, 36)
        self.ascent, self.descent = struct.unpack_from(">2h", hhea, 4)
        self._count: int = struct.unpack_from(">H", self._tables["maxp"], 4)[0]
        self._starts = self._read_starts(is_long=bool(struct.unpack_from(">h", head, 50)[0]))
        self._metrics = self._read_metrics(struct.unpack_from(">H", hhea, 34)[0])
        self._glyphs = _characters(self._tables["cmap"])
        self._shown = {glyph: chr(code) for code, glyph in reversed(self._glyphs.items())}

    def glyph(self, character: str) -> int:
        """The number of the glyph that shows ``character``: a space for what does not print, a
        box for what the font has not."""
        found = self._glyphs.get(ord(character))
        if found is None:
            return _NO_GLYPH if character.isprintable() else self._glyphs[ord(" ")]
        return found

    def character(self, glyph: int) -> str:
        """The character that a glyph shows; the first of several."""
        return self._shown.get(glyph, "\N{REPLACEMENT CHARACTER}")

    def advance(self, glyph: int) -> int:
        """How far the next glyph stands from this one, in units."""
        return self._metrics[glyph][0]

    def width(self, text: str) -> float:
        """How long ``text`` is, in heights of the font."""
        return sum(self.advance(self.glyph(character)) for character in text) / self.em

    def cut(self, glyphs: Iterable[int]) -> bytes:
        """A font file that can draw ``glyphs``, which keep their numbers, and nothing else."""
        kept = {_NO_GLYPH, *glyphs}
        waiting = list(kept)
        while waiting:  # what a glyph is composed of is drawn too
            parts = set(_parts_of(self._outline(waiting.pop()))) - kept
            kept |= parts
            waiting += parts
        outlines, starts = bytearray(), []
        metrics = bytearray(4 * self._count)
        for number in sorted(kept):
            starts += [len(outlines)] * (number + 1 - len(starts))
            outlines += self._outline(number)
            outlines += bytes(-len(outlines) % 4)
            struct.pack_into(">Hh", metrics, 4 * number, *self._metrics[number])
        starts += [len(outlines)] * (self._count + 1 - len(starts))
        changed = {
            "glyf": bytes(outlines),
            "loca": struct.pack(f">{len(starts)}L", *starts),
            "hmtx": bytes(metrics),
            "head": self._tables["head"][:50] + b"\0\1" + self._tables["head"][52:],
            "hhea": self._tables["hhea"][:34] + struct.pack(">H", self._count),
        }
        return _file({tag: changed.get(tag) or self._tables[tag] for tag in _NEEDED})

    def _outline(self, glyph: int) -> bytes:
        return self._tables["glyf"][self._starts[glyph] : self._starts[glyph + 1]]

    def _read_starts(self, *, is_long: bool) -> list[int]:
        if is_long:
            return list(struct.unpack_from(f">{self._count + 1}L", self._tables["loca"]))
        return [2 * at for at in struct.unpack_from(f">{self._count + 1}H", self._tables["loca"])]

    def _read_metrics(self, full: int) -> list[tuple[int, int]]:
        """Advance and left bearing by glyph; those after the ``full`` first share an advance."""
        found: list[tuple[int, int]] = list(
            struct.iter_unpack(">Hh", self._tables["hmtx"][: 4 * full])
        )
        rest = struct.unpack_from(f">{self._count - full}h", self._tables["hmtx"], 4 * full)
        return found + [(found[-1][0], bearing) for bearing in rest]


@cache
def typeface(name: str) -> Typeface:
    """A font of ours by the name of its file."""
    return Typeface(_FONTS / f"{name}.ttf")


def _characters(cmap: bytes) -> dict[int, int]:
    """Glyphs by code point, of the table of Unicode's first plane (format 4)."""
    for number in range(struct.unpack_from(">H", cmap, 2)[0]):
        at = struct.unpack_from(">L", cmap, 8 + 8 * number)[0]
        if struct.unpack_from(">H", cmap, at)[0] == 4:
            return _segments(cmap, at)
    raise ValueError("The font has no table of characters that is known here.")


def _segments(cmap: bytes, at: int) -> dict[int, int]:
    doubled = struct.unpack_from(">H", cmap, at + 6)[0]
    ends, starts, steps, offsets = (
        struct.unpack_from(f">{doubled // 2}H", cmap, at + 14 + part * doubled + (2 if part else 0))
        for part in range(4)
    )
    glyphs: dict[int, int] = {}
    for number, (end, start, step, offset) in enumerate(
        zip(ends, starts, steps, offsets, strict=True)
    ):
        place = at + 16 + 3 * doubled + 2 * number + offset
        for code in range(start, end + 1):
            glyph = code
            if offset:
                glyph = struct.unpack_from(">H", cmap, place + 2 * (code - start))[0]
            if glyph and code != 0xFFFF:
                glyphs[code] = (glyph + step) & 0xFFFF
    return glyphs


def _parts_of(outline: bytes) -> Iterable[int]:
    """The glyphs that one is composed of."""
    if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
        return
    at, flags = 10, _MORE
    while flags & _MORE:
        flags, part = struct.unpack_from(">HH", outline, at)
        yield part
        at += 8 if flags & _WORDS else 6
        at += 2 if flags & _SCALE else 4 if flags & _TWO_SCALES else 8 if flags & _MATRIX else 0


def _file(tables: dict[str, bytes]) -> bytes:
    """Tables as a font file."""
    power = len(tables).bit_length() - 1
    head = struct.pack(
        ">LHHHH", 0x00010000, len(tables), 16 << power, power, 16 * (len(tables) - (1 << power))
    )
    at, body = 12 + 16 * len(tables), b""
    for tag, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
        head += struct.pack(">4sLLL", tag.encode(), total, at + len(body), len(table))
        body += padded
    return head + body
