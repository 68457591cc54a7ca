"""The pictures: which piece, posed how, seen from where, in which metals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import adornments, groups, rings
from .camera import Camera
from .catalogue import PIECES
from .mounts import Bench
from .studio import ENGRAVERS, IVORY, NIGHT, Studio
from .trace import Scene

SQUARE = 1200
Make = Callable[[], Bench]
Turns = tuple[tuple[str, float], ...]
LEANING: Turns = (("x", 22), ("z", -30))
METAL_NAMES = {
    "yellow-gold": "yellow gold",
    "rose-gold": "rose gold",
    "white-gold": "white gold",
    "platinum": "platinum",
}


@dataclass(frozen=True)
class Shot:
    """One scene, one picture for each of its metals."""

    piece: str
    view: str
    make: Make
    camera: Camera
    alt: str
    turns: Turns = ()
    metals: tuple[str, ...] = ()
    studio: Studio = IVORY
    letters: str = ""
    options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (SQUARE, SQUARE)
    fine: int = 2

    def scene(self) -> Scene:
        bench = self.make()
        bench.pose(*self.turns)
        return Scene(
            bench.solids, bench.stones, self.camera, self.metals, self.studio, self.letters
        )

    def file(self, metal: str) -> str:
        parts = [
            self.piece,
            *self.options.values(),
            metal if len(self.metals) > 1 else "",
            self.view,
        ]
        return "-".join(part for part in parts if part and part != "main") + ".webp"

    def told(self, metal: str) -> str:
        return self.alt.format(metal=METAL_NAMES[metal])


METALS = {piece.slug: piece.metals for piece in PIECES}


def ring(
    slug: str,
    make: Make,
    alt: str,
    *,
    lift: float = 2.0,
    span: float = 29,
    letters: str = "",
    studio: Studio = IVORY,
) -> list[Shot]:
    """The main view in each metal, and one from above in the first."""
    main = Camera((0.2, 0, lift), span, height=24)
    top = Camera((0, 0, lift * 0.9), span * 0.98, height=34)
    other: Turns = (("x", 48), ("z", 26))
    return [
        Shot(slug, "main", make, main, alt, LEANING, METALS[slug], studio, letters),
        Shot(
            slug,
            "top",
            make,
            top,
            alt + ", seen from above",
            other,
            METALS[slug][:1],
            letters=letters,
        ),
    ]


def laid(
    slug: str, make: Make, alt: str, camera: Camera, *, letters: str = "", studio: Studio = IVORY
) -> list[Shot]:
    return [Shot(slug, "main", make, camera, alt, (), METALS[slug], studio, letters)]


HERO, CARD = (1920, 1080), (1200, 900)

PRODUCTS = [
    *ring("aurore", rings.solitaire, "Solitaire diamond ring in {metal}", lift=2.2, span=28),
    *ring("halcyon", rings.halo, "Halo diamond ring in {metal}", lift=2.0, span=28),
    *ring("nyx", rings.emerald_cut, "Emerald-cut diamond ring in {metal}", lift=2.4, span=29),
    *ring("moirai", rings.three_stones, "Three-stone diamond ring in {metal}"),
    *ring("asteria", rings.pave, "Band of pavé diamonds in {metal}", lift=0.4, span=27),
    *ring("ouranos", rings.eternity, "Eternity ring of diamonds in {metal}", lift=0, span=27),
    *ring("perpetua", rings.wedding, "Plain wedding band in {metal}", lift=0, span=27),
    *ring(
        "chiron",
        rings.signet,
        "Signet ring in {metal}, engraved with an E",
        lift=0.5,
        span=31,
        letters="E",
        studio=ENGRAVERS,
    ),
    *ring(
        "horae",
        rings.stack,
        "Three stacking rings in {metal}, one set with sapphires",
        lift=0,
        span=28,
    ),
    *ring("persephone", rings.bombe, "Domed ring in {metal} with an oval ruby", lift=0.6, span=28),
    *laid(
        "pleiades",
        adornments.studs,
        "Diamond stud earrings in {metal}",
        Camera((0.7, 0, 0), 24, height=30),
    ),
    *laid(
        "naiad",
        adornments.drops,
        "Emerald and diamond drop earrings in {metal}",
        Camera((-1, 5.5, 0), 42, height=58),
    ),
    *laid(
        "selene",
        adornments.hoops,
        "Diamond hoop earrings in {metal}",
        Camera((0.5, 0, 0), 49, height=20),
    ),
    *laid(
        "galatea",
        adornments.tennis,
        "Diamond tennis bracelet in {metal}",
        Camera((0, -1, 0), 86, height=34),
    ),
    *laid(
        "thalia",
        adornments.bangle,
        "Oval bangles in {metal}, one with diamonds",
        Camera((1, 2, 4), 77, height=32),
    ),
    *laid(
        "ariadne",
        adornments.chain_bracelet,
        "Bracelet of long links in {metal}",
        Camera((0, 0, 0), 66, height=48),
    ),
    *laid(
        "vesper",
        adornments.pendant,
        "Diamond pendant on a fine chain of {metal}",
        Camera((0, 4.5, 0), 24, height=62),
    ),
    *laid(
        "thetis",
        adornments.pearls,
        "Strand of pearls with a clasp of {metal}",
        Camera((-1, -2, 3), 74, height=38),
    ),
    *laid(
        "leto",
        adornments.disc_pendant,
        "Round disc pendant in {metal}, engraved with an E",
        Camera((0, 4, 0), 29, height=62),
        letters="E",
        studio=ENGRAVERS,
    ),
    *laid(
        "galene",
        adornments.pearl_pendant,
        "Pearl pendant with a diamond, on a chain of {metal}",
        Camera((0, 4, 0), 30, height=58),
    ),
]

# Three pictures for the front page, and one for each collection.
WIDE = [
    Shot(
        "hero-night",
        "hero",
        groups.night,
        Camera((9, 0, 10.5), 34, height=15),
        "Two diamond rings in {metal} on black",
        (),
        ("yellow-gold",),
        NIGHT,
        size=HERO,
    ),
    Shot(
        "hero-morning",
        "hero",
        groups.morning,
        Camera((7.5, -1, 9.5), 41, height=19),
        "Two diamond rings and a plain band in {metal} on ivory",
        (),
        ("yellow-gold",),
        size=HERO,
    ),
    Shot(
        "hero-sapphire",
        "hero",
        groups.macro,
        Camera((0, -9.5, 9.2), 11.5, height=40),
        "A cushion-cut sapphire in a halo of diamonds, very near",
        (),
        ("white-gold",),
        NIGHT,
        size=HERO,
    ),
    Shot(
        "asphodel",
        "collection",
        groups.asphodel,
        Camera((2, 0, 12), 37, height=20),
        "Two rings with oval diamonds in {metal}",
        (),
        ("rose-gold",),
        size=CARD,
    ),
    Shot(
        "hesperides",
        "collection",
        groups.hesperides,
        Camera((6, 0, 7), 44, height=30),
        "A ruby ring in {metal} among loose stones and pearls",
        (),
        ("yellow-gold",),
        size=CARD,
    ),
    Shot(
        "lethe",
        "collection",
        groups.lethe,
        Camera((2, -1, 8), 42, height=24),
        "Plain bands and stacking rings in {metal}",
        (),
        ("yellow-gold",),
        size=CARD,
    ),
    Shot(
        "mnemosyne",
        "collection",
        groups.mnemosyne,
        Camera((3.5, 0, 9.5), 40, height=30),
        "A signet ring and a disc in {metal}, engraved",
        (),
        ("rose-gold",),
        letters="E",
        studio=ENGRAVERS,
        size=CARD,
    ),
]


def every() -> list[Shot]:
    return [*PRODUCTS, *WIDE]
