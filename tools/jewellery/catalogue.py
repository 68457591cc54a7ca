"""The pieces of the demo shop: what they are called, cost, weigh, and can be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GOLDS = ("yellow-gold", "rose-gold", "white-gold")
ALL = (*GOLDS, "platinum")
CUTS = ("round", "oval", "cushion", "pear", "princess", "emerald")
CARATS = ("0.50", "0.75", "1.00", "1.50", "2.00")
COLOURS = ("D", "E", "F", "G", "H")
CLARITIES = ("IF", "VVS1", "VVS2", "VS1", "VS2")


def diamond(cuts: tuple[str, ...] = CUTS, carats: tuple[str, ...] = CARATS) -> dict[str, Any]:
    return {"cuts": cuts, "carats": carats, "colours": COLOURS, "clarities": CLARITIES}


@dataclass(frozen=True)
class Piece:
    """A piece as the shop sells it. `price`: USD cents; `grams`: in 18 carat gold."""

    slug: str
    name: str
    kind: str
    collection: str
    summary: str
    description: str
    price: int
    grams: float
    metals: tuple[str, ...] = GOLDS
    ring_size: bool = False
    stone: dict[str, Any] = field(default_factory=dict)
    engraving: int = 0

    def listed(self) -> dict[str, Any]:
        """The piece as `pieces.json` holds it. `engraving`: the most letters, 0 for none."""
        return {
            "slug": self.slug,
            "name": self.name,
            "kind": self.kind,
            "collection": self.collection,
            "summary": self.summary,
            "description": self.description,
            "options": {
                "metal": list(self.metals),
                "ring_size": self.ring_size,
                "stone": {name: list(values) for name, values in self.stone.items()},
                "engraving": {"allowed": self.engraving > 0, "letters": self.engraving},
            },
            "price": {"amount": self.price, "currency": "USD"},
            "grams": self.grams,
        }


COLLECTIONS = {
    "asphodel": ("Asphodel", "Diamonds for a promise."),
    "hesperides": (
        "Hesperides",
        "Coloured stones and pearls, from the garden at the world's edge.",
    ),
    "lethe": ("Lethe", "Lines that flow: bands, hoops and bracelets for every day."),
    "mnemosyne": ("Mnemosyne", "Gold that keeps a name, a date, a line."),
}

PIECES = (
    Piece(
        "aurore",
        "Aurore",
        "rings",
        "asphodel",
        "A solitaire diamond in four fine claws.",
        "One stone, held high so that light reaches it from every side. The shank is rounded "
        "inside and out and narrows a little under the head. Made to order in our workshop.",
        389_000,
        3.4,
        ALL,
        True,
        diamond(),
        20,
    ),
    Piece(
        "halcyon",
        "Halcyon",
        "rings",
        "asphodel",
        "A diamond in a halo, on a shank set half round.",
        "A ring of small diamonds surrounds the centre stone and runs on down the shoulders. "
        "Each is set by hand between four beads.",
        468_000,
        3.9,
        ALL,
        True,
        diamond(("round", "oval", "cushion")),
        20,
    ),
    Piece(
        "nyx",
        "Nyx",
        "rings",
        "asphodel",
        "An emerald-cut diamond between two baguettes.",
        "Long, calm facets that flash like a window at night. Two baguettes in rub-over settings "
        "lead the eye to the centre.",
        1_240_000,
        5.2,
        ALL,
        True,
        diamond(("emerald",), ("1.50", "2.00", "2.50", "3.00")),
        20,
    ),
    Piece(
        "moirai",
        "Moirai",
        "rings",
        "asphodel",
        "Three diamonds: past, present, future.",
        "An oval in the middle, a round brilliant to each side, set close so that almost no metal "
        "shows between them.",
        752_000,
        4.1,
        ALL,
        True,
        diamond(("oval", "round", "cushion")),
        20,
    ),
    Piece(
        "asteria",
        "Asteria",
        "rings",
        "asphodel",
        "Three rows of pavé diamonds.",
        "Some sixty small diamonds over the upper half of a broad band. Smooth inside, bright "
        "outside.",
        318_000,
        5.0,
        GOLDS,
        True,
    ),
    Piece(
        "ouranos",
        "Ouranos",
        "rings",
        "asphodel",
        "Diamonds all the way round.",
        "An eternity ring of matched brilliants in shared claws, some 2.4 carats in all. It "
        "cannot be resized later, so we measure twice.",
        694_000,
        3.6,
        ALL,
        True,
    ),
    Piece(
        "perpetua",
        "Perpetua",
        "rings",
        "lethe",
        "A plain court band.",
        "Softly domed outside and in, forged from one piece without a seam. There is room inside "
        "for a date or a line.",
        118_000,
        6.8,
        ALL,
        True,
        {},
        30,
    ),
    Piece(
        "chiron",
        "Chiron",
        "rings",
        "mnemosyne",
        "A signet ring to be engraved.",
        "A solid cushion of gold with a flat face for one to three letters, cut by hand. Worn on "
        "whichever finger you like.",
        226_000,
        12.5,
        GOLDS,
        True,
        {},
        3,
    ),
    Piece(
        "horae",
        "Horae",
        "rings",
        "lethe",
        "Three thin rings, worn together or apart.",
        "One plain, one of small gold beads, one with a row of blue sapphires. They sit flush.",
        194_000,
        5.6,
        GOLDS,
        True,
    ),
    Piece(
        "persephone",
        "Persephone",
        "rings",
        "hesperides",
        "A domed ring with an oval ruby.",
        "A generous curve of metal, and in it one ruby of 1.4 carats, set flush and crosswise.",
        436_000,
        9.8,
        GOLDS,
        True,
    ),
    Piece(
        "pleiades",
        "Pleiades",
        "earrings",
        "asphodel",
        "A pair of brilliant studs.",
        "Two matched diamonds in four claws, on posts with screw backs.",
        274_000,
        1.8,
        ALL,
        False,
        diamond(("round", "princess", "cushion")),
    ),
    Piece(
        "naiad",
        "Naiad",
        "earrings",
        "hesperides",
        "Oval emeralds under a diamond.",
        "Green drops in a halo of small diamonds that move with the head. Each weighs about "
        "two carats.",
        588_000,
        6.1,
        GOLDS,
    ),
    Piece(
        "selene",
        "Selene",
        "earrings",
        "lethe",
        "Hoops with a row of diamonds.",
        "Full round hoops of 21 millimetres; the front half carries brilliants in bead settings.",
        246_000,
        7.4,
        GOLDS,
    ),
    Piece(
        "galatea",
        "Galatea",
        "bracelets",
        "asphodel",
        "A tennis bracelet of 56 diamonds.",
        "Brilliants in four claws, joined so that they bend as one line. A box clasp and a safety "
        "catch keep it where it belongs.",
        936_000,
        14.2,
        ALL,
    ),
    Piece(
        "thalia",
        "Thalia",
        "bracelets",
        "lethe",
        "An oval bangle, with a brushed companion.",
        "Two bangles sold as a pair: one polished with a line of diamonds, one brushed and plain.",
        412_000,
        31.0,
        GOLDS,
        False,
        {},
        30,
    ),
    Piece(
        "ariadne",
        "Ariadne",
        "bracelets",
        "lethe",
        "A chain bracelet of long links.",
        "Heavy enough to feel, light enough to forget. Every link is closed and polished by hand.",
        338_000,
        27.5,
        GOLDS,
    ),
    Piece(
        "vesper",
        "Vesper",
        "necklaces",
        "asphodel",
        "A single diamond on a fine chain.",
        "The first star of the evening, in four claws on a cable chain of 42 centimetres.",
        296_000,
        3.1,
        ALL,
        False,
        diamond(("round", "cushion", "princess")),
    ),
    Piece(
        "thetis",
        "Thetis",
        "necklaces",
        "hesperides",
        "A strand of sea pearls.",
        "Akoya pearls of 7.8 millimetres, matched for lustre and strung on knotted silk; the clasp "
        "is a ball of gold.",
        362_000,
        41.0,
        GOLDS,
    ),
    Piece(
        "leto",
        "Leto",
        "necklaces",
        "mnemosyne",
        "A round disc to be engraved.",
        "Fifteen millimetres of gold within a fine rim. We engrave a monogram or a date by hand, "
        "and the back if you wish.",
        142_000,
        6.3,
        GOLDS,
        False,
        {},
        12,
    ),
    Piece(
        "galene",
        "Galene",
        "necklaces",
        "hesperides",
        "A pearl under a diamond.",
        "One large pearl, calm as the sea in the morning, hangs from a cap of gold and a small "
        "diamond.",
        218_000,
        5.4,
        GOLDS,
    ),
)
