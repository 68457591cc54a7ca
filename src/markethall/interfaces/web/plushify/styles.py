"""The styles and sizes, with the words and pictures that the pages give them."""

from __future__ import annotations

from dataclasses import dataclass

from markethall.content.imaging.models import Size, Style
from markethall.content.imaging.rules import LONGER_SIDE

_WORDS = {
    Style.CUTE: "Long soft fur, big eyes, pink cheeks.",
    Style.REALISTIC: "Short pile and neat seams, like from a good toy shop.",
    Style.CARTOON: "Felt, thick stitches and button eyes.",
    Style.MINIMALIST: "Smooth jersey and very little else.",
}
_USES = {Size.SMALL: "for a chat", Size.MEDIUM: "for the screen", Size.LARGE: "for a print"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several to pick from; ``image`` is a static path."""

    value: str
    label: str
    text: str
    image: str = ""


STYLES = [
    Choice(style.value, str(style.label), words, f"img/plushify/style-{style.value}.webp")
    for style, words in _WORDS.items()
]

SIZES = [
    Choice(size.value, str(size.label), f"{LONGER_SIDE[size]} px, {use}")
    for size, use in _USES.items()
]


def style_label(value: str) -> str:
    """The name of a style for people."""
    return str(Style(value).label)


def size_label(value: str) -> str:
    """The name of a size for people, with its pixels."""
    return f"{Size(value).label}, {LONGER_SIDE[Size(value)]} px"
