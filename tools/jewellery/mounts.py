"""Parts a goldsmith works with: shanks, baskets, prongs, rows of stones, chains, clasps."""

from __future__ import annotations

import numpy as np

from . import cuts
from .field import Field
from .gems import Stone
from .solids import BAND, BOX, DISC, FRAME, LINK, POLISHED, Solids
from .vectors import Array, axes, turn, unit, vec

RING = axes(vec(0, 1, 0), vec(0, 0, 1))
UP = np.eye(3, dtype=np.float32)


class Bench:
    """Solids and stones on their way to a piece; `pose` turns all of them."""

    def __init__(self) -> None:
        self.solids = Solids()
        self.stones: list[Stone] = []

    def shank(
        self,
        radius: float = 8.6,
        width: float = 1.1,
        thick: float = 0.85,
        *,
        rounding: float = 0.6,
        slim: float = 0.0,
        thin: float = 0.0,
        dome: float = 0.0,
        flat: float = 0.0,
        material: int = POLISHED,
        shift: float = 0.0,
    ) -> None:
        """A finger ring standing up: inner radius, half width, half thickness."""
        numbers = [radius + thick, width, thick, rounding, slim, thin, dome, flat]
        self.solids.add(BAND, numbers, vec(0, shift, 0), RING, material)

    def stone(self, cut: str, gem: str, radius: float, at: Array, frame: Array = UP) -> None:
        self.stones.append(Stone(cut, gem, radius, np.asarray(at, np.float32), frame))

    def prong(self, at: Array, foot: Array, wire: float, tip: Array) -> None:
        """A claw from its foot up past the girdle, bent over to its tip."""
        self.solids.rod(foot, at, wire * 0.95, wire)
        self.solids.rod(at, tip, wire, wire * 0.92)

    def basket(
        self,
        cut: str,
        gem: str,
        radius: float,
        at: Array,
        frame: Array = UP,
        *,
        wire: float = 0.42,
        claws: int = 4,
        foot: float = 0.0,
        rails: tuple[float, ...] = (-0.42, -1.0),
    ) -> None:
        """A stone in claws over rails. `foot`: how far down the claws meet, in stone radii."""
        self.stone(cut, gem, radius, at, frame)
        long = cuts.half_length(cut)
        back = frame.T

        def place(x: float, y: float, z: float) -> Array:
            return np.asarray(at + back @ vec(x, y, z) * np.float32(radius), np.float32)

        spots = self._corners(cut, claws, long)
        low = foot or 1.25
        for x, y in spots:
            w = wire / radius
            out = 1 + 0.35 * w / max(np.hypot(x, y), 0.5)
            girdle = place(x * out, y * out, 0.06)
            ankle = place(x * 0.42, y * 0.42, -low)
            tip = place(x * (1 - 0.55 * w), y * (1 - 0.55 * w), 0.20)
            self.prong(girdle, ankle, wire, tip)
        bend = {"emerald": 4.5, "princess": 7.0, "cushion": 2.8}.get(cut, 2.0)
        for rail in rails:
            size = max(0.94 + 0.58 * rail / low, 0.2)
            numbers = [
                radius * long * size,
                radius * size,
                bend,
                wire * 0.72,
                wire * 0.72,
                wire * 0.6,
            ]
            self.solids.add(FRAME, numbers, place(0.4 * size * (cut == "pear"), 0, rail), frame)

    @staticmethod
    def _corners(cut: str, claws: int, long: float) -> list[tuple[float, float]]:
        if cut == "emerald":
            x, y = long - 0.18, 0.82
            return [(x, y), (-x, y), (-x, -y), (x, -y)]
        if cut == "princess":
            return [(s * 0.97, t * 0.97) for s in (-1, 1) for t in (-1, 1)]
        if cut == "pear":
            return [(1.82, 0.0), (0.45, 0.93), (0.45, -0.93), (-0.75, 0.72), (-0.75, -0.72)]
        start = np.pi / claws if claws == 4 else 0.0
        angles = [start + 2 * np.pi * i / claws for i in range(claws)]
        if cut == "cushion":
            return [(long * 0.84 * s, 0.80 * t) for s in (-1, 1) for t in (-1, 1)]
        return [(long * float(np.cos(a)), float(np.sin(a))) for a in angles]

    def bead_set(
        self,
        radius: float,
        at: Array,
        frame: Array,
        bead: float,
        gem: str = "diamond",
        cut: str = "small",
        spread: float = 1.0,
    ) -> None:
        """A small stone with four beads at its corners, in a bright-cut seat."""
        at = np.asarray(at, np.float32)
        self.stone(cut, gem, radius, at, frame)
        for x, y in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
            spot = frame.T @ vec(x, y, 0) * np.float32(radius * 0.74 * spread)
            self.solids.ball(at + spot + frame[2] * np.float32(bead * 0.35), bead)

    def row_on_ring(
        self,
        outer: float,
        size: float,
        span: float,
        *,
        y: float = 0.0,
        gem: str = "diamond",
        cut: str = "small",
        bead: float = 0.0,
        tilt: float = 0.0,
        gap: float = 0.10,
    ) -> None:
        """Stones side by side over the ring, `span` degrees to each side of the top."""
        pitch = np.degrees((2 * size + gap) / outer)
        count = round(span / pitch)
        if span >= 180:
            count = round(360 / pitch)
            angles = [360 * i / count for i in range(count)]
        else:
            angles = [pitch * (i - count + 0.5) for i in range(2 * count)]
        for degrees in angles:
            a = np.radians(degrees)
            z = vec(np.sin(a), 0, np.cos(a))
            way = axes(
                unit(z * np.cos(np.radians(tilt)) + vec(0, np.sin(np.radians(tilt)), 0)),
                vec(np.cos(a), 0, -np.sin(a)),
            )
            at = z * np.float32(outer) + vec(0, y, 0)
            if bead:
                self.bead_set(size, at, way, bead, gem, cut)
            else:
                self.stone(cut, gem, size, at, way)

    def channel(self, a: Array, b: Array, z: Array, half: float, tall: float) -> None:
        """A straight rail from a to b."""
        middle, along = (a + b) / 2, b - a
        frame = axes(z, unit(along))
        span = float(np.linalg.norm(along))
        self.solids.add(BOX, [span / 2, half, tall, min(half, tall) * 0.6], middle, frame)

    def chain(self, line: Array, wire: float, long: float, wide: float, turned: float = 45) -> None:
        """Links along points (n, 3), every other one turned by a right angle."""
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(steps)])
        pitch = 2 * (long + wide - wire) - 0.15 * wire
        for i in range(int(along[-1] / pitch)):
            s = (i + 0.5) * pitch
            at = np.array([np.interp(s, along, line[:, k]) for k in range(3)], np.float32)
            ahead = np.array([np.interp(s + 0.2, along, line[:, k]) for k in range(3)])
            way = unit((ahead - at).astype(np.float32))
            side = axes(way, vec(0, 0, 1))
            a = np.radians(turned + 90 * (i % 2))
            z = side[0] * np.float32(np.cos(a)) + side[1] * np.float32(np.sin(a))
            frame = axes(z, np.cross(way, z).astype(np.float32))
            self.solids.add(LINK, [long, wide, wire], at, frame)

    def disc(
        self,
        radius: float,
        half: float,
        at: Array,
        frame: Array = UP,
        *,
        tall: float = 0.0,
        dome: float = 0.0,
        rounding: float = 0.3,
        material: int = POLISHED,
    ) -> None:
        numbers = [radius, half, rounding, dome, tall or radius]
        self.solids.add(DISC, numbers, at, frame, material)

    def pose(self, *turns: tuple[str, float], move: Array | None = None) -> None:
        """Turns everything about the origin, in the order given, then moves it."""
        total = np.eye(3, dtype=np.float32)
        for axis, degrees in turns:
            total = turn(axis, degrees) @ total
        shift = vec(0, 0, 0) if move is None else move
        s = self.solids
        s.centre = [(total @ c + shift).astype(np.float32) for c in s.centre]
        s.frame = [(f @ total.T).astype(np.float32) for f in s.frame]
        self.stones = [
            Stone(
                g.cut,
                g.gem,
                g.radius,
                (total @ g.at + shift).astype(np.float32),
                (g.frame @ total.T).astype(np.float32),
            )
            for g in self.stones
        ]

    def settle(self) -> Bench:
        """Puts the lowest point of metal on z = 0."""
        self.pose(move=vec(0, 0, -Field(self.solids).bottom()))
        return self

    def add(self, other: Bench) -> None:
        s, t = self.solids, other.solids
        s.shape += t.shape
        s.centre += t.centre
        s.frame += t.frame
        s.numbers += t.numbers
        s.material += t.material
        self.stones += other.stones
