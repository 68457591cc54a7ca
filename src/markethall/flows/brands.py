"""The storefronts' faces in mails, in the colours of their pages."""

from __future__ import annotations

from functools import cache

from markethall.foundation.messaging.brands import HALL, SERIF, Brand, Shades
from markethall.trade.catalog.storefronts import storefront

# Light, dark; then what else differs from the hall's face.
_FACES: dict[str, tuple[Shades, Shades, dict[str, str | int]]] = {
    "plushify": (
        Shades("#fff1e8", "#fffdfb", "#f3d9cf", "#43202f", "#7b5464", "#c9285f", "#ffffff"),
        Shades("#221820", "#30222c", "#4b3744", "#ffeee4", "#d3b4bf", "#ff9dbd", "#43202f"),
        {"radius": 24, "button_radius": 26},
    ),
    "mybeing": (
        Shades("#f5f7f6", "#ffffff", "#dbe3df", "#1d2825", "#586660", "#2b6656", "#ffffff"),
        Shades("#121615", "#1a201e", "#303a36", "#e7edea", "#a3b2ac", "#93d0bd", "#10201b"),
        {"heading": SERIF, "body": SERIF, "radius": 4, "button_radius": 4},
    ),
    "elysium": (
        Shades("#f4eee1", "#fdfbf6", "#ddd2bb", "#15120e", "#63584a", "#15120e", "#f4eee1"),
        Shades("#0f0d0b", "#181613", "#39332a", "#f4eee1", "#b3a68f", "#f4eee1", "#15120e"),
        {"heading": SERIF, "radius": 0, "button_radius": 0},
    ),
    "market": (
        Shades("#f1f4fb", "#ffffff", "#d7deee", "#0f1424", "#4f5a75", "#1d43e8", "#ffffff"),
        Shades("#11141d", "#191d29", "#2e364b", "#eef1fa", "#a5b0cb", "#9fb2ff", "#0f1424"),
        {"radius": 6, "button_radius": 6},
    ),
}


@cache
def brand_of(slug: str) -> Brand:
    """The face of a storefront; the hall's for what belongs to none."""
    if slug not in _FACES:
        return HALL
    shop = storefront(slug)
    light, dark, rest = _FACES[slug]
    return Brand(slug=slug, name=shop.name, path=shop.path, light=light, dark=dark, **rest)  # type: ignore[arg-type]
