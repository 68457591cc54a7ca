"""How a mail looks: the hall's own face, and what a storefront's consists of."""

from __future__ import annotations

from dataclasses import dataclass

_SANS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
SERIF = "Georgia,'Times New Roman',serif"


@dataclass(frozen=True, slots=True)
class Shades:
    """The colours of one scheme, as ``#rrggbb``. ``on_accent`` is read on ``accent``."""

    paper: str
    card: str
    line: str
    ink: str
    muted: str
    accent: str
    on_accent: str


@dataclass(frozen=True, slots=True)
class Brand:
    """A sender's name and face. ``path`` is where its name leads; ``radius`` and
    ``button_radius`` are in pixels."""

    slug: str
    name: str
    path: str
    light: Shades
    dark: Shades
    heading: str = _SANS
    radius: int = 12
    button_radius: int = 8
    body: str = _SANS


HALL = Brand(
    slug="hall",
    name="Markethall",
    path="/",
    light=Shades("#f6f1e7", "#fffdf8", "#e4dac8", "#221c15", "#665c4f", "#a13a1c", "#ffffff"),
    dark=Shades("#161310", "#211e1a", "#3a342c", "#f4eee2", "#b8ad9c", "#f6a283", "#221c15"),
)
