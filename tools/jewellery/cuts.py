"""The cuts of gems, as convex polyhedra of facet planes.

A cut is an array (planes, 4) of outward normals and offsets (n·x <= offset), z up through the
table, the girdle about z = 0, the half width along x and y given by the outline.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .vectors import Array

CROWN, PAVILION, TABLE = 34.5, 40.9, 0.57
GIRDLE = 0.02
FANCY = {"oval": 1.38, "cushion": 1.08, "pear": 1.5, "emerald": 1.4}
CUTS = ("round", "oval", "cushion", "pear", "princess", "emerald")


def _through(a: Array, b: Array, c: Array) -> list[float]:
    n = np.cross(b - a, c - a)
    n = n / np.linalg.norm(n)
    offset = float(n @ a)
    if offset < 0:
        n, offset = -n, -offset
    return [*n.tolist(), offset]


def _outline(cut: str, angle: float) -> Array:
    """The girdle's point at an angle; half width 1 along y."""
    x, y = np.cos(angle), np.sin(angle)
    if cut == "oval":
        return np.array([FANCY["oval"] * x, y])
    if cut == "cushion":
        r = (abs(x) ** 3.2 + abs(y) ** 3.2) ** (-1 / 3.2)
        return np.array([FANCY["cushion"] * x * r, y * r])
    if cut == "pear":
        squeeze = 1 - 0.42 * max(x, 0) ** 1.6
        return np.array([(1.85 if x > 0 else 1.05) * x, y * squeeze])
    return np.array([x, y])


def _brilliant(cut: str, girdle: int) -> Array:
    def at(angle: float, share: float, z: float) -> Array:
        return np.array([*(_outline(cut, angle) * share), z])

    step = np.pi / 8
    crown, pavilion = np.tan(np.radians(CROWN)), np.tan(np.radians(PAVILION))
    top = GIRDLE + (1 - TABLE) * crown
    deep = -GIRDLE - pavilion
    star, lower = 0.5, 0.78
    reach = TABLE * np.cos(step) * (1 - star) + star
    rib = GIRDLE + (1 - reach * np.cos(step)) * crown
    low = -GIRDLE - (1 - (1 - lower) * np.cos(step)) * pavilion
    planes = [[0.0, 0.0, 1.0, top]]
    for i in range(8):
        a = 2 * i * step
        near, after, mid = a - 1e-3, a + 1e-3, a + step
        planes.append(_through(at(a, TABLE, top), at(near, 1, GIRDLE), at(after, 1, GIRDLE)))
        side = at(mid, reach, rib)
        planes.append(_through(at(a, TABLE, top), at(a + 2 * step, TABLE, top), side))
        planes.append(_through(at(near, 1, -GIRDLE), at(after, 1, -GIRDLE), at(0, 0, deep)))
        foot = at(mid, 1 - lower, low)
        for side_angle in (a, a + 2 * step):
            inner = 0.5 * (mid + side_angle)
            edge, edge_low = at(side_angle, 1, GIRDLE), at(side_angle, 1, -GIRDLE)
            planes.append(_through(side, edge, at(inner, 1.004, GIRDLE)))
            planes.append(_through(foot, edge_low, at(inner, 1.004, -GIRDLE)))
    for i in range(girdle):
        a, b = 2 * np.pi * i / girdle, 2 * np.pi * (i + 1) / girdle
        planes.append(_through(at(a, 1, 0), at(b, 1, 0), at(b, 1, 1)))
    return np.array(planes, np.float32)


def _single() -> Array:
    """Eight facets above and eight below: for stones of a millimetre."""
    planes = [[0.0, 0.0, 1.0, 0.30]]
    for i in range(8):
        a = np.pi / 4 * i
        for tilt, offset in ((CROWN, 1.0), (180 - PAVILION, 1.0), (90, 0.985)):
            s, c = np.sin(np.radians(tilt)), np.cos(np.radians(tilt))
            planes.append([s * np.cos(a), s * np.sin(a), c, s * offset])
    return np.array(planes, np.float32)


def _steps(ratio: float, corner: float) -> Array:
    """An emerald cut: three steps above, three below, on eight sides."""
    crown = [(46, 0.0), (38, 0.16), (29, 0.32)]
    pavilion = [(52, 0.0), (45, 0.28), (38.5, 0.60)]
    planes: list[list[float]] = []
    top = 0.0
    for i in range(8):
        a = np.pi / 4 * i
        if i % 4 == 0:
            half = ratio
        elif i % 2 == 0:
            half = 1.0
        else:
            half = (ratio + 1 - corner) / np.sqrt(2)
        way = np.array([np.cos(a), np.sin(a)])
        planes.append([way[0], way[1], 0, half])
        for sign, steps in ((1, crown), (-1, pavilion)):
            z, inset = sign * GIRDLE * 1.5, 0.0
            for j, (tilt, reach) in enumerate(steps):
                if j:
                    z += sign * (reach - inset) * np.tan(np.radians(steps[j - 1][0]))
                    inset = reach
                s, c = np.sin(np.radians(tilt)), sign * np.cos(np.radians(tilt))
                planes.append([*(s * way), c, s * (half - inset) + c * z])
            if sign > 0:
                top = z + 0.11 * np.tan(np.radians(steps[-1][0]))
    planes.append([0, 0, 1, top])
    return np.array(planes, np.float32)


def _princess() -> Array:
    planes: list[list[float]] = [[0, 0, 1, 0.235]]
    for i in range(4):
        a = np.pi / 2 * i
        planes.append([np.cos(a), np.sin(a), 0, 1])
        b = a + np.pi / 4
        planes.append([np.cos(b), np.sin(b), 0, 1.385])
        for turned, tilt, half in ((a, 36, 1.0), (b, 25, 1.385 - 0.06), (b, 40, 1.385)):
            s, c = np.sin(np.radians(tilt)), np.cos(np.radians(tilt))
            planes.append([s * np.cos(turned), s * np.sin(turned), c, s * half + c * GIRDLE])
        for spread, tilt in ((0, 57), (13, 52), (22, 47), (31, 43.5), (38, 41)):
            for sign in (-1, 1) if spread else (1,):
                t = a + sign * np.radians(spread)
                s, c = np.sin(np.radians(tilt)), -np.cos(np.radians(tilt))
                half = np.cos(np.radians(spread)) + 0.72 * np.sin(np.radians(spread))
                planes.append([s * np.cos(t), s * np.sin(t), c, s * half - c * GIRDLE])
    return np.array(planes, np.float32)


@cache
def planes(cut: str) -> Array:
    """The facets of a cut with half width 1 along y."""
    if cut == "small":
        return _single()
    if cut == "emerald":
        return _steps(FANCY["emerald"], 0.36)
    if cut == "baguette":
        return _steps(1.8, 0.08)
    if cut == "princess":
        return _princess()
    return _brilliant(cut, 16 if cut == "melee" else 32)


def half_length(cut: str) -> float:
    """Half the length along x where half the width is 1."""
    return {"baguette": 1.8, "pear": 1.45}.get(cut, FANCY.get(cut, 1.0))


def carat_radius(cut: str, carat: float) -> float:
    """Half the width in millimetres of a diamond of so many carats (a round of 1 ct: 6.45 mm)."""
    shape = half_length(cut) * {"princess": 1.35, "emerald": 1.12, "cushion": 1.1}.get(cut, 1.0)
    return float(3.225 * (carat / shape) ** (1 / 3))
