"""Groups of pieces for the wide pictures of the shop's front and of its collections."""

from __future__ import annotations

import numpy as np

from . import adornments, cuts, rings
from .mounts import Bench
from .solids import ELLIPSOID, PEARL
from .vectors import axes, turn, vec


def _stand(piece: Bench, lean: float, spin: float, x: float, y: float) -> Bench:
    """A ring standing on the ground at (x, y)."""
    piece.pose(("x", lean), ("z", spin))
    piece.settle()
    piece.pose(move=vec(x, y, 0))
    return piece


def _lie(piece: Bench, spin: float, x: float, y: float) -> Bench:
    return _stand(piece, 90, spin, x, y)


def _group(*pieces: Bench) -> Bench:
    all_of_them = Bench()
    for piece in pieces:
        all_of_them.add(piece)
    return all_of_them


def loose(b: Bench, cut: str, gem: str, radius: float, x: float, y: float, spin: float) -> None:
    """A stone lying on a facet of its pavilion, its table toward `spin` degrees from the front."""
    tilt = {"emerald": 38.5, "princess": 41.0}.get(cut, cuts.PAVILION)
    quarter = 90.0 if cut in ("oval", "emerald", "cushion", "pear") else 22.5
    frame = (turn("z", spin) @ turn("x", tilt) @ turn("z", quarter)).T
    low = min((frame.T @ (_corner * radius))[2] for _corner in _corners(cut))
    b.stone(cut, gem, radius, vec(x, y, -low), np.ascontiguousarray(frame))


def _corners(cut: str) -> np.ndarray:
    facets = cuts.planes(cut)
    line = np.linspace(-1, 1, 41)
    p = np.stack(np.meshgrid(line * 1.9, line, line, indexing="ij")).reshape(3, -1)
    inside = (facets[:, :3] @ p <= facets[:, 3:]).all(axis=0)
    return p[:, inside].T.astype(np.float32)


def night() -> Bench:
    """On black: an emerald-cut ring before a solitaire."""
    return _group(
        _stand(rings.emerald_cut(), 20, -34, 6.5, -5.0),
        _stand(rings.solitaire(), 16, 28, 29.0, 8.0),
    )


def morning() -> Bench:
    """On ivory: a solitaire, a halo, and a plain band lying."""
    return _group(
        _stand(rings.solitaire(carat=1.3), 22, -32, 3.0, -4.0),
        _stand(rings.halo(), 14, 24, 29.0, 9.0),
        _lie(rings.wedding(), 0, 26.0, -13.0),
    )


def macro() -> Bench:
    b = rings.halo(cut="cushion", gem="sapphire", carat=1.6)
    b.pose(("x", 50), ("z", -24))
    return b


def asphodel() -> Bench:
    return _group(
        _stand(rings.halo(cut="oval"), 24, -30, -8.0, -4.0),
        _stand(rings.three_stones(), 18, 26, 13.0, 6.0),
    )


def hesperides() -> Bench:
    b = _stand(rings.bombe(), 20, -32, -11.0, 5.0)
    for cut, gem, radius, x, y, spin in (
        ("oval", "sapphire", 3.1, 7.0, -2.0, 14.0),
        ("emerald", "emerald", 3.0, 16.5, 6.0, -16.0),
        ("cushion", "morganite", 3.4, 1.5, -12.0, -20.0),
        ("round", "ruby", 2.9, 17.0, -9.0, 24.0),
        ("pear", "sapphire", 2.3, -10.0, -11.0, 12.0),
    ):
        loose(b, cut, gem, radius, x, y, spin)
    for x, y, r in ((26.0, -2.0, 4.0), (27.5, 9.0, 3.8), (8.0, 15.0, 4.1)):
        b.solids.add(
            ELLIPSOID, [r, r * 0.985, r * 0.99], vec(x, y, r), axes(vec(0.3, 0.4, 1)), PEARL
        )
    return b


def lethe() -> Bench:
    return _group(
        _stand(rings.stack(), 12, -36, -9.0, 0.0),
        _stand(rings.wedding(), 4, 24, 14.0, 9.0),
        _lie(rings.wedding(width=1.6), 0, 13.0, -12.0),
    )


def mnemosyne() -> Bench:
    disc = Bench()
    disc.add(adornments.disc_pendant(chain=False))
    disc.settle()
    disc.pose(("z", -18), move=vec(15.0, -5.0, 0.0))
    return _group(_stand(rings.signet(), 16, -30, -7.0, 2.0), disc)
