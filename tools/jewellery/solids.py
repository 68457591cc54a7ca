"""Solids of metal and pearl, each with a signed distance in millimetres.

A solid has a centre, a frame (rows are its axes), a shape, eight numbers for the shape, and a
material. `distances` takes points of shape (3, n) in world space and one solid per point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .vectors import Array, Ints, axes, length, unit, vec

POLISHED, BRUSHED, PEARL, ENGRAVED = range(4)


def _ellipsoid(p: Array, k: Array) -> Array:
    near = length(p / k[:3])
    out: Array = near * (near - 1) / np.maximum(length(p / (k[:3] * k[:3])), 1e-6)
    return out


def _cone(p: Array, k: Array) -> Array:
    """A capsule with two radii: from z = 0 (k1) to z = k0 (k2)."""
    b = (k[1] - k[2]) / k[0]
    a = np.sqrt(np.maximum(1 - b * b, 0))
    q0, q1 = np.hypot(p[0], p[1]), p[2]
    along = -b * q0 + a * q1
    out: Array = np.where(
        along < 0,
        np.hypot(q0, q1) - k[1],
        np.where(along > a * k[0], np.hypot(q0, q1 - k[0]) - k[2], a * q0 + b * q1 - k[1]),
    )
    return out


def _box2(x: Array, y: Array, a: Array, b: Array, r: Array) -> Array:
    u, v = np.abs(x) - a + r, np.abs(y) - b + r
    out: Array = np.hypot(np.maximum(u, 0), np.maximum(v, 0)) + np.minimum(np.maximum(u, v), 0) - r
    return out


def _band(p: Array, k: Array) -> Array:
    """A ring about z: radius, half width, half thickness, rounding, two tapers, dome, flat top.

    Tapers say by which share the width and the thickness shrink from +x to -x.
    """
    rho = np.hypot(p[0], p[1])
    back = 0.5 - 0.5 * p[0] / np.maximum(rho, 1e-6)
    back = back * back * (3 - 2 * back)
    width, thick = k[1] * (1 - k[4] * back), k[2] * (1 - k[5] * back)
    radial = rho - k[0] + k[6] * (p[2] / width) ** 2 + (k[2] - thick)
    flat = _box2(radial, p[2], thick, width, np.minimum(k[3], np.minimum(thick, width)))
    lean = 2 * k[6] * np.minimum(np.abs(p[2]), width) / (width * width)
    flat = flat / np.sqrt(1 + lean * lean)
    cut = p[0] - k[7]
    out: Array = np.where(k[7] > 0, np.maximum(flat, cut), flat)
    return out


def _link(p: Array, k: Array) -> Array:
    y = np.maximum(np.abs(p[1]) - k[0], 0)
    out: Array = np.hypot(np.hypot(p[0], y) - k[1], p[2]) - k[2]
    return out


def _disc(p: Array, k: Array) -> Array:
    """Radius along x, half height, rounding, dome, and the radius along y."""
    s = k[4] / k[0]
    rho = np.hypot(p[0], p[1] / s)
    u = (rho - k[0]) * np.minimum(s, 1) + k[2]
    v = np.abs(p[2]) - k[1] + k[3] * (rho / k[0]) ** 2 + k[2]
    outer = np.hypot(np.maximum(u, 0), np.maximum(v, 0))
    out: Array = outer + np.minimum(np.maximum(u, v), 0) - k[2]
    return out


def _box(p: Array, k: Array) -> Array:
    q = np.abs(p) - k[:3] + k[3]
    out: Array = length(np.maximum(q, 0)) + np.minimum(q.max(axis=0), 0) - k[3]
    return out


def _frame(p: Array, k: Array) -> Array:
    """A rail along a superellipse: radii x and y, exponent, half width, half height, rounding."""
    e = k[2]
    u, v = np.abs(p[0]) / k[0] + 1e-4, np.abs(p[1]) / k[1] + 1e-4
    total = u**e + v**e
    rho = total ** (1 / e)
    slope = np.hypot(u ** (e - 1) / k[0], v ** (e - 1) / k[1]) * rho / total
    out: Array = _box2((rho - 1) / slope, p[2], k[3], k[4], k[5])
    return out


SHAPES: list[Callable[[Array, Array], Array]] = [
    _ellipsoid,
    _cone,
    _band,
    _link,
    _disc,
    _box,
    _frame,
]
MANY = 1500
ELLIPSOID, CONE, BAND, LINK, DISC, BOX, FRAME = range(7)


def _half_size(shape: int, k: list[float]) -> list[float]:
    if shape == CONE:
        r = max(k[1], k[2])
        return [r, r, k[0] + r]
    if shape == BAND:
        return [k[0] + k[2], k[0] + k[2], k[1]]
    if shape == LINK:
        return [k[1] + k[2], k[0] + k[1] + k[2], k[2]]
    if shape == DISC:
        return [k[0], k[4], k[1]]
    if shape == FRAME:
        return [k[0] + k[3], k[1] + k[3], k[4]]
    return k[:3]


@dataclass
class Solids:
    """A growing list of solids; `freeze` makes arrays of it."""

    shape: list[int] = field(default_factory=list)
    centre: list[Array] = field(default_factory=list)
    frame: list[Array] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)
    material: list[int] = field(default_factory=list)

    def add(
        self,
        shape: int,
        numbers: list[float],
        at: Array | None = None,
        frame: Array | None = None,
        material: int = POLISHED,
    ) -> None:
        self.shape.append(shape)
        self.centre.append(vec(0, 0, 0) if at is None else np.asarray(at, np.float32))
        self.frame.append(np.eye(3, dtype=np.float32) if frame is None else frame)
        self.numbers.append([*numbers, *[0.0] * (8 - len(numbers))])
        self.material.append(material)

    def rod(self, a: Array, b: Array, ra: float, rb: float | None = None) -> None:
        """A round rod from a to b."""
        a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
        span = float(length(b - a))
        self.add(CONE, [span, ra, ra if rb is None else rb], a, axes(unit(b - a)))

    def ball(self, at: Array, r: float, material: int = POLISHED) -> None:
        self.add(ELLIPSOID, [r, r, r], at, material=material)

    def extents(self) -> tuple[Array, Array]:
        """The lower and the upper corner of each solid's box: two arrays (n, 3)."""
        low, high = [], []
        for shape, at, frame, k in zip(
            self.shape, self.centre, self.frame, self.numbers, strict=True
        ):
            half = np.abs(frame.T) @ np.array(_half_size(shape, k), np.float32)
            low.append(at - half)
            high.append(at + half)
        return np.array(low, np.float32), np.array(high, np.float32)

    def freeze(self) -> Frozen:
        return Frozen(
            np.array(self.shape, np.int32),
            np.array(self.centre, np.float32).T.copy(),
            np.array(self.frame, np.float32).reshape(-1, 9).T.copy(),
            np.array(self.numbers, np.float32).T.copy(),
            np.array(self.material, np.int32),
        )


@dataclass(frozen=True)
class Frozen:
    """Solids as arrays with the solid on the last axis."""

    shape: Ints
    centre: Array
    frame: Array
    numbers: Array
    material: Ints

    def local(self, points: Array, which: Ints) -> Array:
        away = points - self.centre[:, which]
        f = self.frame[:, which]
        return np.stack(
            [f[i] * away[0] + f[i + 1] * away[1] + f[i + 2] * away[2] for i in (0, 3, 6)]
        )

    def _alone(self, points: Array, solid: int) -> Array:
        """Distances to one solid."""
        frame = self.frame[:, solid].reshape(3, 3)
        local = frame @ (points - self.centre[:, solid, None])
        return SHAPES[self.shape[solid]](local, self.numbers[:, solid, None])

    def distances(self, points: Array, which: Ints) -> Array:
        out = np.empty(points.shape[1], np.float32)
        counts = np.bincount(which, minlength=len(self.shape))
        many = np.flatnonzero(counts > MANY)
        if len(many) == 1 and counts[many[0]] == len(which):
            return self._alone(points, int(many[0]))
        for solid in many:
            mine = np.flatnonzero(which == solid)
            out[mine] = self._alone(points.take(mine, axis=1), int(solid))
        shapes = np.where(counts[which] > MANY, -1, self.shape[which])
        for shape in range(len(SHAPES)):
            mine = np.flatnonzero(shapes == shape)
            if len(mine):
                some = which[mine]
                local = self.local(points.take(mine, axis=1), some)
                out[mine] = SHAPES[shape](local, self.numbers.take(some, axis=1))
        return out
