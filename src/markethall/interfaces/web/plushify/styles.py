"""The styles, with the words and pictures that the pages give them."""

from __future__ import annotations

from dataclasses import dataclass

from markethall.content.imaging.models import Style

_WORDS = {
    Style.CUTE: "Long soft fur, big eyes, pink cheeks.",
    Style.REALISTIC: "Short pile and neat seams, like from a good toy shop.",
    Style.CARTOON: "Felt, thick stitches and button eyes.",
    Style.MINIMALIST: "Smooth jersey and very little else.",
}


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
