"""What the scripts of a text print with.

Latin, Greek, Cyrillic, Armenian and Georgian are embedded. Chinese, Japanese and Korean are named
by the standard fonts that readers of PDF bring or stand in for, so that a paper stays small. What
neither has is a question mark: it is there, and cannot be printed.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
_FONTS = Path(__file__).parent / "fonts"
# Of a run, the first that has all its characters: the standard font, and the character set that
# says what it has. They have one weight.
_SIMPLIFIED = ("STSong-Light", "gb2312")
_TRADITIONAL = ("MSung-Light", "big5")
_JAPANESE = ("HeiseiKakuGo-W5", "euc_jp")
_KOREAN = ("HYGothic-Medium", "cp949")
_MORE_CHINESE = ("STSong-Light", "gbk")
_STANDARD = (_SIMPLIFIED, _TRADITIONAL, _JAPANESE, _KOREAN, _MORE_CHINESE)
_FIRST_ASIAN = 0x1100  # no character before is in these scripts


class Run(NamedTuple):
    """Text that prints with one font, which is ReportLab's."""

    text: str
    font: Any


@cache
def fonts() -> dict[str, Any]:
    """The embedded fonts, read once."""
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics, ttfonts

    rl_config.useA85 = 0  # a file need not be text, and costs an eighth less without
    for name in (PLAIN, BOLD):
        font = ttfonts.TTFont(name, str(_FONTS / f"{name}.ttf"), asciiReadable=False)
        pdfmetrics.registerFont(font)
    return {name: pdfmetrics.getFont(name) for name in (PLAIN, BOLD)}


def runs_of(text: str, name: str) -> list[Run]:
    """``text`` in runs of one font each, ``name`` wherever it can; with a space for what does not
    print."""
    font = fonts()[name]
    known = font.face.charToGlyph
    if (text.isascii() and text.isprintable()) or known.keys() >= set(map(ord, text)):
        return [Run(text, font)]
    runs = []
    for is_asian, letters in groupby(text, lambda each: ord(each) not in known and _asian(each)):
        part = "".join(letters)
        if is_asian:
            runs += _asian_runs(part, text, font)
        else:
            said = (
                each if ord(each) in known else "?" if each.isprintable() else " " for each in part
            )
            runs.append(Run("".join(said), font))
    return runs


def _asian_runs(part: str, text: str, font: Any) -> list[Run]:
    """The whole of ``part`` by one font where one has it all, else letter by letter."""
    order = _standard_for(text)
    for name, charset in order:
        if _has(charset, part):
            return [Run(part, _standard(name))]
    return [
        Run(each, next((_standard(name) for name, charset in order if _has(charset, each)), font))
        for each in part
    ]


def _standard_for(text: str) -> list[tuple[str, str]]:
    """The standard fonts, those first whose language the rest of the text speaks."""
    first = []
    if any("\u3040" <= each <= "\u30ff" for each in text):  # kana
        first.append(_JAPANESE)
    if any("\uac00" <= each <= "\ud7a3" for each in text):  # hangul
        first.append(_KOREAN)
    return [*first, *(each for each in _STANDARD if each not in first)]


def _asian(letter: str) -> bool:
    return ord(letter) >= _FIRST_ASIAN and any(_has(charset, letter) for _, charset in _STANDARD)


def _has(charset: str, text: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return all(ord(each) < 0x10000 for each in text)


@cache
def _standard(name: str) -> Any:
    from reportlab.pdfbase import cidfonts, pdfmetrics

    pdfmetrics.registerFont(cidfonts.UnicodeCIDFont(name))
    return pdfmetrics.getFont(name)
