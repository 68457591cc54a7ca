"""Earrings, necklaces, bracelets. Most lie flat on the ground, their faces up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from . import cuts
from .mounts import UP, Bench
from .rings import GROWN, halo_ring
from .solids import BRUSHED, ELLIPSOID, ENGRAVED, FRAME, PEARL, POLISHED
from .vectors import Array, axes, turn, unit, vec


def studs(cut: str = "round", gem: str = "diamond", carat: float = 0.9) -> Bench:
    """A pair: one looks up at us, one lies on its side."""
    pair = Bench()
    r = cuts.carat_radius(cut, carat) * GROWN
    for lean, spin, move in ((34, 12, vec(-5.6, 0, 0)), (58, -34, vec(5.4, -1.6, -0.9))):
        b = Bench()
        b.basket(cut, gem, r, vec(0, 0, 0), wire=0.42, foot=1.15, rails=(-0.46, -1.0))
        b.solids.rod(vec(0, 0, -1.0 * r), vec(0, 0, -1.15 * r - 8.2), 0.42)
        b.solids.ball(vec(0, 0, -1.15 * r - 8.2), 0.46)
        b.pose(("x", lean), ("z", spin), move=move)
        pair.add(b)
    return pair


def _hook(b: Bench, x: float, y: float) -> None:
    """A shepherd's hook whose eye is at (x, y)."""
    turns = np.linspace(0, np.pi, 15)
    arc = [vec(x + 3.0 - 3.0 * np.cos(t), y + 4.5 + 3.6 * np.sin(t), 0) for t in turns]
    line = [vec(x, y + 0.2, 0), *arc, vec(x + 6.1, y - 3.5, 0), vec(x + 6.9, y - 5.5, 0)]
    for start, end in pairwise(line):
        b.solids.rod(start, end, 0.40)


def drops(cut: str = "oval", gem: str = "emerald", carat: float = 2.2) -> Bench:
    """Stones in a halo under a round diamond, on hooks."""
    pair = Bench()
    r = cuts.carat_radius(cut, carat) * GROWN
    for side, lean in ((-1, 7), (1, -9)):
        b = Bench()
        point = axes(vec(0, 0, 1), vec(0, 1, 0))
        b.basket(cut, gem, r, vec(0, 0, 0), point, wire=0.36, foot=0.85, rails=(-0.35,))
        halo_ring(b, cut, r, vec(0, 0, -0.05), small=0.52, frame=point)
        top = cuts.half_length(cut) * r + 2.5
        b.solids.add(FRAME, [0.75, 0.75, 2, 0.2, 0.2, 0.18], vec(0, top - 0.1, 0))
        b.basket("round", "diamond", 1.75, vec(0, top + 2.3, 0), wire=0.34, foot=0.9, rails=(-0.3,))
        b.solids.add(FRAME, [0.7, 0.7, 2, 0.2, 0.2, 0.18], vec(0, top + 4.6, 0))
        _hook(b, 0, top + 5.2)
        b.pose(("z", lean), move=vec(side * 7.4 - 1.5, -4 + 1.3 * side, 0))
        pair.add(b)
    return pair


def hoops(gem: str = "diamond") -> Bench:
    """A pair of hoops with a row of stones on the front half."""
    pair = Bench()
    for spin, move in ((-58, vec(-9.5, 4.0, 0)), (-30, vec(9.0, -4.0, 0))):
        b = Bench()
        b.shank(10.4, 1.15, 1.15, rounding=1.1)
        b.row_on_ring(10.4 + 2.12, 0.78, 84, gem=gem, bead=0.2, cut="melee")
        b.pose(("y", 48), ("x", 8), ("z", spin), move=move)
        pair.add(b)
    return pair


def tennis(gem: str = "diamond", size: float = 1.75) -> Bench:
    """Stones in four claws, all around the wrist."""
    b = Bench()
    count = 56
    radius = count * (2 * size + 0.42) / (2 * np.pi)
    for i in range(count):
        a = 2 * np.pi * (i + 0.5) / count
        out = vec(np.cos(a), np.sin(a), 0)
        face = axes(unit(out * np.float32(0.62) + vec(0, 0, 0.78)), vec(-np.sin(a), np.cos(a), 0))
        at = out * np.float32(radius)
        b.stone("melee", gem, size, at, face)
        b.solids.add(
            FRAME, [size, size, 2, 0.22, 0.55, 0.18], at - face[2] * np.float32(0.62), face
        )
        for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
            foot = at + face.T @ vec(x * 0.72 * size, y * 0.72 * size, -1.0)
            tip = at + face.T @ vec(x * 0.70 * size, y * 0.70 * size, 0.34)
            b.solids.rod(foot, tip, 0.27)
        a += np.pi / count
        joint = vec(np.cos(a), np.sin(a), 0) * np.float32(radius)
        b.solids.ball(joint - face[2] * np.float32(0.75), 0.5)
    return b


def bangle(gem: str = "diamond", stones: bool = True) -> Bench:
    """An oval bangle lying down, a second one, brushed, leaning on it."""
    b = Bench()
    b.solids.add(FRAME, [30, 26, 2, 1.5, 2.6, 1.2])
    other = Bench()
    other.solids.add(FRAME, [30, 26, 2, 1.25, 1.4, 1.1], material=BRUSHED)
    other.pose(("x", 17), ("z", 24), move=vec(4, 3, 10.2))
    b.add(other)
    if stones:
        for i in range(-9, 10):
            a = -np.pi / 2 + 0.062 * i
            at = vec(30 * np.cos(a), 26 * np.sin(a), 0)
            out = unit(vec(np.cos(a) / 30, np.sin(a) / 26, 0))
            b.bead_set(0.8, at + out * np.float32(1.46), axes(out, vec(0, 0, 1)), 0.2, gem, "melee")
    return b


def _curve(points: list[tuple[float, float]], z: float = 0.0, steps: int = 400) -> Array:
    """A smooth line (n, 3) through points: Catmull and Rom's."""
    p = np.array([points[0], *points, points[-1]], np.float32)
    out = []
    for i in range(1, len(p) - 2):
        t = np.linspace(0, 1, steps // len(points), endpoint=False)[:, None]
        a, b, c, d = p[i - 1], p[i], p[i + 1], p[i + 2]
        out.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    flat = np.concatenate(out)
    return np.column_stack([flat, np.full(len(flat), z)]).astype(np.float32)


def chain_bracelet() -> Bench:
    """Long links of thick wire, laid in a loose loop."""
    b = Bench()
    a = np.linspace(-0.4, 2 * np.pi - 1.15, 500)
    radius = 25 + 2.0 * np.sin(3 * a)
    line = np.column_stack([radius * np.cos(a) * 1.12, radius * np.sin(a), 0 * a])
    b.chain(line.astype(np.float32), 0.92, 2.4, 2.5, turned=45)
    return b


def pendant(cut: str = "round", gem: str = "diamond", carat: float = 1.2) -> Bench:
    """A stone in claws on a fine chain."""
    b = Bench()
    r = cuts.carat_radius(cut, carat) * GROWN
    point = axes(vec(0, 0, 1), vec(0, 1, 0)) if cut in ("pear", "emerald", "oval") else UP
    b.basket(cut, gem, r, vec(0, 0, 0), point, wire=0.36, foot=0.95, rails=(-0.35, -0.8))
    reach = r * (1.85 if cut == "pear" else cuts.half_length(cut))
    _bail(b, reach, 0.9)
    _necklace(b, reach + 1.6)
    return b


def _bail(b: Bench, reach: float, size: float) -> None:
    b.solids.add(FRAME, [size * 0.62, size * 0.62, 2, 0.2, 0.2, 0.18], vec(0, reach + 0.35, 0))
    b.solids.add(
        FRAME,
        [size * 0.72, size, 2, 0.26, 0.34, 0.24],
        vec(0, reach + 1.5, 0.1),
        axes(vec(1, 0, 0.35), vec(0, 0, 1)),
    )


def _necklace(b: Bench, top: float, wire: float = 0.27) -> None:
    """Two arms of a chain from the bail up and out of the picture."""
    for side in (-1, 1):
        line = _curve(
            [
                (side * 0.15, top),
                (side * 3.2, top + 3.6),
                (side * 8.2, top + 8.6),
                (side * 12.6, top + 15),
                (side * 14.5, top + 23),
            ],
            -0.2,
        )
        b.chain(line, wire, 0.55, 0.62)


def disc_pendant(letters: bool = True, chain: bool = True) -> Bench:
    """A round disc to be engraved, with a fine rim and one small stone."""
    b = Bench()
    b.disc(
        7.6, 0.62, vec(0, 0, 0), dome=0.30, rounding=0.4, material=ENGRAVED if letters else POLISHED
    )
    b.solids.add(FRAME, [7.5, 7.5, 2, 0.34, 0.82, 0.3])
    b.solids.add(FRAME, [0.85, 0.85, 2, 0.24, 0.24, 0.22], vec(0, 8.3, 0), axes(vec(1, 0, 0.3)))
    _bail(b, 8.3, 1.25)
    if chain:
        _necklace(b, 10.2, 0.32)
    return b


def pearls(size: float = 3.9) -> Bench:
    """A strand, laid in two soft turns, with a clasp of metal beads."""
    b = Bench()
    draw = np.random.default_rng(11)
    a = np.linspace(-2.6, 2 * np.pi + 1.9, 1500)
    radius = 27.5 - 1.55 * (a + 2.6) + 2.5
    line = np.column_stack([radius * np.cos(a) * 1.15, radius * np.sin(a) * 0.92])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    pitch = 2 * size + 0.12
    count = int(along[-1] / pitch)
    for i in range(count):
        x, y = (np.interp((i + 0.5) * pitch, along, line[:, k]) for k in (0, 1))
        if i == count - 1:
            b.solids.ball(vec(x, y, size * 0.86), size * 0.86)
            continue
        r = size * draw.uniform(0.97, 1.0)
        frame = turn("z", draw.uniform(0, 360)) @ turn("x", draw.uniform(0, 360))
        b.solids.add(ELLIPSOID, [r, r * 0.985, r * 0.99], vec(x, y, r), frame, PEARL)
    return b


def pearl_pendant() -> Bench:
    b = Bench()
    b.solids.ball(vec(0, 0, 0), 6.2, PEARL)
    b.disc(2.4, 0.5, vec(0, 5.6, 0), axes(vec(0, 1, 0)), dome=0.3)
    b.basket("round", "diamond", 1.7, vec(0, 8.3, 0.4), wire=0.3, foot=0.9, rails=(-0.3,))
    _bail(b, 10.0, 1.1)
    _necklace(b, 11.6, 0.3)
    return b
