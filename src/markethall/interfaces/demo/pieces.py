"""The pieces of the demo shop as drafts: what the files beside the pictures say of each, with
options, and prices in every currency."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markethall.interfaces import cli
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft

FOLDER = Path(cli.__file__).parent / "demo" / "elysium" / "pictures"
# Units of a currency for a hundred US dollars, and what its prices are rounded to, minor units.
_RATES = {"USD": (100, 1000), "EUR": (92, 1000), "GBP": (79, 1000), "JPY": (15_200, 1000)}
_NO_CENTS = {"JPY"}
METALS = {
    "yellow-gold": ("Yellow gold", "#d4b25a"),
    "rose-gold": ("Rose gold", "#d9a08a"),
    "white-gold": ("White gold", "#d6d3cb"),
    "platinum": ("Platinum", "#c3c6cb"),
}
# US cents a gram more than yellow gold.
_BY_GRAM = {"yellow-gold": 0, "rose-gold": 0, "white-gold": 1_500, "platinum": 9_000}
_SIZES = range(46, 66, 2)  # millimetres round the finger
_CUTS = {
    "round": ("Round", 0),
    "oval": ("Oval", 12_000),
    "cushion": ("Cushion", 7_000),
    "pear": ("Pear", 14_000),
    "princess": ("Princess", 4_000),
    "emerald": ("Emerald", 9_000),
}
_COLOUR_STEP, _CLARITY_STEP = 26_000, 31_000  # US cents, from H and from VS2 up
_TEXT = r"\w &'’♥.,·/-"
_CATEGORIES = {
    "rings": ("Rings", "Made to your finger, to half a millimetre."),
    "earrings": ("Earrings", "Light on both sides."),
    "necklaces": ("Necklaces", "Close to where it counts."),
    "bracelets": ("Bracelets", "Worn every day, so made for it."),
}
_WITHIN = {
    "rings/engagement": ("Engagement", ("aurore", "halcyon", "nyx", "moirai")),
    "rings/bands": ("Bands", ("perpetua", "asteria", "ouranos", "horae")),
    "rings/signets": ("Signets and domes", ("chiron", "persephone")),
}
NEW = {"persephone", "galene", "nyx"}


def told() -> dict[str, Any]:
    """The collections and pieces, as their file has them."""
    return dict(json.loads((FOLDER / "pieces.json").read_text("utf-8")))


def pictures() -> dict[str, dict[str, Any]]:
    """What each picture shows, by its file's name."""
    return dict(json.loads((FOLDER / "pictures.json").read_text("utf-8")))


def categories() -> Iterator[tuple[str, str, str, str]]:
    """Slug, name, parent and description, each after the one that it is in."""
    for slug, (name, text) in _CATEGORIES.items():
        yield slug, name, "", text
    for path, (name, _) in _WITHIN.items():
        parent, _, slug = path.partition("/")
        yield slug, name, parent, ""


def draft(piece: Mapping[str, Any], position: int) -> ProductDraft:
    """One piece as it is saved."""
    made, grams = piece["options"], piece["grams"]
    return ProductDraft(
        slug=piece["slug"],
        name=piece["name"],
        summary=piece["summary"],
        description=piece["description"],
        prices=_everywhere(piece["price"]["amount"]),
        details=_details(piece),
        category=_category(piece),
        collections=[piece["collection"]],
        tags=["new"] if piece["slug"] in NEW else [],
        weight_grams=round(grams) + 180,
        position=position,
        options=[
            _metal(made["metal"], grams),
            *([_size()] if made["ring_size"] else []),
            *_stone(made["stone"], piece["price"]["amount"]),
            *([_engraving(made["engraving"]["letters"])] if made["engraving"]["allowed"] else []),
        ],
    )


def _category(piece: Mapping[str, Any]) -> str:
    for path, (_, slugs) in _WITHIN.items():
        if piece["slug"] in slugs:
            return path
    return str(piece["kind"])


def _details(piece: Mapping[str, Any]) -> list[tuple[str, str]]:
    stone = piece["options"]["stone"]
    return [
        ("Weight", f"About {piece['grams']} g in 18 carat gold"),
        *([("Diamond", "Natural, with its certificate")] if stone else []),
        ("Hallmark", "750, or 950 in platinum"),
        ("Made", "To order, by one goldsmith from beginning to end"),
    ]


def _everywhere(cents: int) -> dict[str, int]:
    """An amount of US cents in every currency, rounded to what looks like a price there."""
    amounts = {}
    for currency, (rate, step) in _RATES.items():
        exact = cents * rate / 100 / (100 if currency in _NO_CENTS else 1)
        amounts[currency] = round(exact / step) * step
    return {currency: amount for currency, amount in amounts.items() if amount}


def _value(code: str, name: str, cents: float = 0, swatch: str = "") -> ValueDraft:
    return ValueDraft(code, name, _everywhere(round(cents)), swatch)


def _metal(metals: Sequence[str], grams: float) -> OptionDraft:
    values = [
        _value(code, METALS[code][0], _BY_GRAM[code] * grams, METALS[code][1]) for code in metals
    ]
    return OptionDraft("metal", "Metal", values, is_stocked=True)


def _size() -> OptionDraft:
    values = [_value(str(size), f"{size} mm") for size in _SIZES]
    return OptionDraft(
        "ring-size", "Ring size", values, is_stocked=True, is_facet=False, has_default=False
    )


def _stone(stone: Mapping[str, Sequence[str]], base: int) -> list[OptionDraft]:
    """Carat, cut, colour and clarity, the first of each being what the price includes."""
    if not stone:
        return []
    carats = [float(each) for each in stone["carats"]]
    by_carat = [
        _value(
            text.replace(".", "-"),
            f"{carat:.2f} ct",
            base * 0.62 * ((carat / carats[0]) ** 1.7 - 1),
        )
        for text, carat in zip(stone["carats"], carats, strict=True)
    ]
    first = _CUTS[stone["cuts"][0]][1]
    by_cut = [_value(cut, _CUTS[cut][0], max(0, _CUTS[cut][1] - first)) for cut in stone["cuts"]]
    colours = list(reversed(stone["colours"]))
    clarities = list(reversed(stone["clarities"]))
    return [
        OptionDraft("carat", "Carat", by_carat, is_facet=False),
        OptionDraft("cut", "Cut", by_cut),
        OptionDraft(
            "colour",
            "Colour",
            [_value(each.lower(), each, step * _COLOUR_STEP) for step, each in enumerate(colours)],
            help_text="D is the whitest.",
            is_facet=False,
        ),
        OptionDraft(
            "clarity",
            "Clarity",
            [
                _value(each.lower(), each, step * _CLARITY_STEP)
                for step, each in enumerate(clarities)
            ],
            help_text="IF is free of anything that can be seen at ten times.",
            is_facet=False,
        ),
    ]


def _engraving(letters: int) -> OptionDraft:
    return OptionDraft(
        "engraving",
        "Engraving",
        kind="text",
        help_text="By hand, letters, digits and ♥. An engraved piece cannot come back.",
        is_required=False,
        is_facet=False,
        max_length=letters,
        allowed=_TEXT,
        effects=_everywhere(9_000),
    )
