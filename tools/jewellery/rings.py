"""Rings. Lengths in millimetres; a ring stands on its shank, its head up."""

from __future__ import annotations

import numpy as np

from . import cuts
from .mounts import UP, Bench
from .solids import BRUSHED, ENGRAVED, FRAME, POLISHED
from .vectors import Array, axes, unit, vec

INNER = 8.4
GROWN = 1.12


def _size(cut: str, carat: float) -> float:
    """Half the width of a stone, a little grown so that it reads in a small picture."""
    return cuts.carat_radius(cut, carat) * GROWN


def solitaire(cut: str = "round", gem: str = "diamond", carat: float = 1.0) -> Bench:
    b = Bench()
    r = _size(cut, carat)
    b.shank(INNER, 1.0, 0.86, rounding=0.84, slim=-0.05, dome=0.1)
    top = INNER + 1.62 + r * 1.04
    b.basket(cut, gem, r, vec(0, 0, top), wire=0.40, claws=6 if cut == "oval" else 4, foot=1.22)
    return b


def halo(cut: str = "round", gem: str = "diamond", carat: float = 0.9) -> Bench:
    """A stone in a halo, on a shank set half round."""
    b = Bench()
    r = _size(cut, carat)
    b.shank(INNER, 1.0, 0.80, rounding=0.5, slim=0.15)
    b.row_on_ring(INNER + 1.66, 0.62, 62, bead=0.17)
    top = INNER + 1.8 + r * 1.02
    b.basket(cut, gem, r, vec(0, 0, top), wire=0.36, foot=1.25, rails=(-1.02,))
    halo_ring(b, cut, r, vec(0, 0, top - 0.16 * r))
    return b


def halo_ring(
    b: Bench, cut: str, r: float, at: Array, small: float = 0.62, frame: Array = UP
) -> None:
    """A rail of small stones around a girdle."""
    long = cuts.half_length(cut)
    bend = {"emerald": 4.5, "princess": 7.0, "cushion": 2.8}.get(cut, 2.0)
    x, y = r * long + small + 0.22, r + small + 0.22
    b.solids.add(
        FRAME, [x, y, bend, small + 0.16, 0.42, 0.3], at - frame.T @ vec(0, 0, 0.30), frame
    )
    turn = np.linspace(0, 2 * np.pi, 721)
    c, s = np.cos(turn), np.sin(turn)
    rho = (np.abs(c) ** bend + np.abs(s) ** bend) ** (-1 / bend)
    line = np.stack([x * c * rho, y * s * rho])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=1)))])
    count = round(along[-1] / (2 * small + 0.1))
    for i in range(count):
        u, v = (np.interp(along[-1] * i / count, along, row) for row in line)
        face = axes(frame[2], frame.T @ unit(vec(u, v, 0)))
        b.bead_set(small, at + frame.T @ vec(u, v, 0.17), face, 0.17)


def three_stones(cut: str = "oval", gem: str = "diamond", carat: float = 1.0) -> Bench:
    b = Bench()
    r = _size(cut, carat)
    side = r * 0.72
    b.shank(INNER, 1.0, 0.88, rounding=0.85, slim=0.05)
    top = INNER + 1.5 + r
    b.basket(cut, gem, r, vec(0, 0, top), axes(vec(0, 0, 1), vec(0, 1, 0)), wire=0.36, foot=1.2)
    for sign in (-1, 1):
        z = unit(vec(sign * 0.42, 0, 1))
        at = vec(sign * (r + side + 0.30), 0, top - 0.55 * r)
        b.basket(
            "round", "diamond", side, at, axes(z, vec(0, 1, 0)), wire=0.32, foot=1.25, rails=(-0.5,)
        )
    return b


def emerald_cut(cut: str = "emerald", gem: str = "diamond", carat: float = 2.0) -> Bench:
    """A step-cut stone across the finger, tapering baguettes at its shoulders."""
    b = Bench()
    r = _size(cut, carat)
    b.shank(INNER, 1.15, 0.92, rounding=0.55, slim=0.12)
    across = axes(vec(0, 0, 1), vec(0, 1, 0))
    at = vec(0, 0, INNER + 1.5 + r)
    b.basket(cut, gem, r, at, across, wire=0.42, foot=0.98, rails=(-0.34, -0.9))
    for sign in (-1, 1):
        a = np.radians(sign * 31)
        z = vec(np.sin(a), 0, np.cos(a))
        frame = axes(z, vec(np.cos(a), 0, -np.sin(a)))
        at = z * np.float32(INNER + 2.62)
        b.stone("baguette", "diamond", 0.88, at, frame)
        rail = [0.88 * 1.8 + 0.14, 1.04, 8, 0.22, 0.62, 0.16]
        b.solids.add(FRAME, rail, at - z * np.float32(0.45), frame)
    return b


def pave(gem: str = "diamond") -> Bench:
    """Three rows of small stones over the upper half."""
    b = Bench()
    b.shank(INNER, 2.35, 0.95, rounding=0.45, slim=0.3, thin=0.1)
    for y, span in ((-1.38, 72), (0.0, 75), (1.38, 72)):
        b.row_on_ring(INNER + 1.93, 0.64, span, y=y, gem=gem, bead=0.2, tilt=0)
    return b


def eternity(gem: str = "diamond", cut: str = "melee", size: float = 1.32) -> Bench:
    """Stones all around, held by shared claws."""
    b = Bench()
    outer = INNER + 1.75
    count = round(2 * np.pi * outer / (2 * size + 0.22))
    for sign in (-1, 1):
        b.shank(INNER, 0.30, 0.42, rounding=0.28, shift=sign * 0.62)
        b.shank(INNER + 0.85, 0.26, 0.26, rounding=0.24, shift=sign * size * 0.74)
    for i in range(count):
        a = 2 * np.pi * i / count
        z = vec(np.sin(a), 0, np.cos(a))
        b.stone(cut, gem, size, z * np.float32(outer), axes(z, vec(0, 1, 0)))
        a += np.pi / count
        z = vec(np.sin(a), 0, np.cos(a))
        for sign in (-1, 1):
            y = vec(0, sign * size * 0.78, 0)
            b.solids.rod(
                z * np.float32(INNER + 0.5) + y * np.float32(0.8),
                z * np.float32(outer + 0.42) + y,
                0.27,
                0.29,
            )
    return b


def wedding(width: float = 2.3, material: int = POLISHED) -> Bench:
    b = Bench()
    b.shank(INNER + 0.6, width, 0.92, rounding=0.5, dome=0.42, material=material)
    return b


def wedding_pair() -> Bench:
    """A polished court band and a brushed one with polished edges, one leaning on the other."""
    b = wedding()
    b.pose(("x", 0), ("z", 14))
    other = Bench()
    other.shank(INNER + 1.6, 2.6, 0.95, rounding=0.35, material=BRUSHED)
    for sign in (-1, 1):
        other.shank(INNER + 1.55, 0.34, 0.97, rounding=0.25, shift=sign * 2.62)
    other.pose(("x", 90), move=vec(1.5, 15.5, -6.6))
    b.add(other)
    return b


def signet() -> Bench:
    b = Bench()
    b.shank(
        INNER + 0.4,
        6.2,
        1.75,
        rounding=1.0,
        slim=0.64,
        thin=0.32,
        dome=0.0,
        flat=INNER + 2.6,
        material=ENGRAVED,
    )
    return b


def stack(gem: str = "sapphire") -> Bench:
    """Three thin rings worn together: plain, beaded, and one with a row of stones."""
    b = Bench()
    b.shank(INNER + 0.5, 0.72, 0.62, rounding=0.6, shift=-2.15)
    b.shank(INNER + 0.5, 0.40, 0.42, rounding=0.4)
    radius = INNER + 1.1
    count = 44
    for i in range(count):
        a = 2 * np.pi * i / count
        b.solids.ball(vec(radius * np.sin(a), 0, radius * np.cos(a)), 0.65)
    b.shank(INNER + 0.5, 0.95, 0.66, rounding=0.4, shift=2.15)
    b.row_on_ring(INNER + 1.9, 0.78, 68, y=2.15, gem=gem, bead=0.19, cut="melee")
    return b


def bombe(gem: str = "ruby") -> Bench:
    """A domed ring with one oval stone set flush, east to west."""
    b = Bench()
    b.shank(INNER + 0.2, 4.4, 1.5, rounding=1.2, slim=0.55, thin=0.35, dome=0.9)
    at = vec(0, 0, INNER + 3.15)
    b.stone("oval", gem, 2.1, at)
    b.solids.add(FRAME, [2.1 * 1.38 + 0.15, 2.25, 2, 0.34, 0.7, 0.3], at - vec(0, 0, 0.45))
    return b
