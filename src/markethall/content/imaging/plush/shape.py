"""Outlines and stuffing: smooth silhouettes, simple solids and inflated height fields."""

from math import cos, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush.arrays import (
    Plane,
    blur,
    plane,
    resize,
    signed_distance,
    smoothstep,
)

SKIRT = 2.2
"""Times its usual width at which a slender shape's foot counts as ground."""
ALIKE = 0.93
"""Overlap with its mirror image from which a shape counts as symmetric."""
ALIKE_SLENDER = 0.6
"""The same for a slender shape, where small errors weigh more."""
STUFFING_SIDE = 96
"""Longer side of the grid on which a part is inflated, pixels."""


def ellipse(
    shape: tuple[int, int],
    centre: tuple[float, float],
    radii: tuple[float, float],
    *,
    turn: float = 0.0,
    power: float = 2.0,
) -> Plane:
    """Signed distance (about) to a superellipse, positive inside; `turn` in degrees clockwise."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    dx, dy = xs - centre[0], ys - centre[1]
    c, s = cos(radians(turn)), sin(radians(turn))
    u, v = np.abs(dx * c + dy * s) / radii[0], np.abs(-dx * s + dy * c) / radii[1]
    level = (u**power + v**power) ** (1 / power)
    return plane((1 - level) * min(radii))


def capsule(
    shape: tuple[int, int], start: tuple[float, float], end: tuple[float, float], radius: float
) -> Plane:
    """Signed distance to a thick line with round ends, positive inside."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    ax, ay = end[0] - start[0], end[1] - start[1]
    along = ((xs - start[0]) * ax + (ys - start[1]) * ay) / max(1e-6, ax * ax + ay * ay)
    t = np.clip(along, 0, 1)
    return plane(radius - np.hypot(xs - start[0] - t * ax, ys - start[1] - t * ay))


def ear(
    shape: tuple[int, int], base: tuple[float, float], tip: tuple[float, float], half: float
) -> Plane:
    """Signed distance to a rounded triangle with its base at `base`, `half` wide each way."""
    dx, dy = tip[0] - base[0], tip[1] - base[1]
    long = max(1e-6, float(np.hypot(dx, dy)))
    nx, ny = -dy / long * half, dx / long * half
    corners = np.array(
        [
            [base[0] + nx, base[1] + ny],
            [tip[0], tip[1]],
            [base[0] - nx, base[1] - ny],
            [base[0] - dx * 0.4, base[1] - dy * 0.4],
        ]
    )
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [np.round(corners).astype(np.int32)], 1)
    return rounded(filled.astype(bool), half * 0.16, half * 0.12)


def rounded(inside: NDArray[np.bool_], sigma: float, grow: float) -> Plane:
    """Signed distance to the outline after blurring corners away and growing outwards."""
    distance = signed_distance(inside)
    wide = blur(plane(np.clip(distance + grow, -3 * sigma - 1, 3 * sigma + 1)), sigma)
    return blur(signed_distance(wide > 0), 1.2)


def opened(inside: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    """The mask without anything narrower than `width` pixels."""
    reach = max(3, round(width)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, kernel).astype(bool)


def levelled(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A ragged lower end cut straight where the shape is broad enough to stand on."""
    widths = inside.sum(axis=1)
    rows = np.nonzero(widths)[0]
    first, last = int(rows[0]), int(rows[-1])
    broad = float(widths.max())
    base = float(widths[last - (last - first) // 8]) / broad
    enough = np.nonzero(widths > 0.5 * broad)[0]
    if not 0.12 < base < 0.45 or enough[-1] < last - 0.25 * (last - first):
        return inside
    kept = inside.copy()
    kept[enough[-1] + 1 :] = False
    return kept


def without_skirt(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A slender shape without the ground that clings to its foot."""
    widths = inside.sum(axis=1)
    rows = np.nonzero(widths)[0]
    first, last = int(rows[0]), int(rows[-1])
    usual = float(np.median(widths[first : last + 1]))
    low = np.arange(last - (last - first) // 4, last + 1)
    wide = low[widths[low] > SKIRT * usual]
    if len(wide) == 0 or usual * 5 > last - first:
        return inside
    kept = inside.copy()
    kept[int(wide[0]) :] = False
    _, marks, stats, _ = cv2.connectedComponentsWithStats(kept.astype(np.uint8))
    return np.asarray(marks == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def mirrored(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A shape that is nearly symmetric made wholly so, as folded cloth is cut; others as is."""
    width = inside.shape[1]
    columns = np.nonzero(inside)[1]
    axis = round(2 * float(np.median(columns)))
    source = axis - np.arange(width)
    flipped = inside[:, np.clip(source, 0, width - 1)] & (source >= 0) & (source < width)
    rows = np.nonzero(inside.any(axis=1))[0]
    slender = float(np.median(inside.sum(axis=1)[rows])) < 0.4 * len(rows)
    alike = ALIKE_SLENDER if slender else ALIKE
    if (inside & flipped).sum() < alike * (inside | flipped).sum():
        return inside
    even = signed_distance(inside) + signed_distance(flipped)
    return np.asarray(even > 0)


def sewn_outline(inside: NDArray[np.bool_], soften: float, plump: float) -> Plane:
    """The silhouette a toy-maker would cut: thin limbs thickened, notches closed."""
    fat = signed_distance(inside) > -plump
    filled = fat.astype(np.uint8)
    reach = max(3, int(soften * 1.4)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, kernel)
    smooth = blur(plane(closed), soften) > 0.46
    count, marks, stats, _ = cv2.connectedComponentsWithStats(smooth.astype(np.uint8))
    if count > 2:
        smooth = marks == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return rounded(smooth, max(1.0, soften * 0.35), 0.0)


def stuffing(distance: Plane) -> tuple[Plane, Plane, float]:
    """A stuffed cloth's membrane over the outline, units squared.

    Solves Poisson's equation (even pressure, cloth held at the outline) on a small grid,
    coarse to fine. Gives the membrane, its ratio to the distance, both on the small grid,
    and that grid's cell in units. Near the outline ratio * distance is the sharper form.
    """
    height, width = distance.shape
    factor = STUFFING_SIDE / max(height, width)
    level = plane(np.zeros((2, 2)))
    kernel = plane([[0.05, 0.2, 0.05], [0.2, 0, 0.2], [0.05, 0.2, 0.05]])
    small = distance
    for step in (0.25, 0.5, 1.0):
        rows = max(4, round(height * factor * step))
        columns = max(4, round(width * factor * step))
        cell = height / rows
        small = plane(cv2.resize(distance, (columns, rows), interpolation=cv2.INTER_AREA))
        inside = plane(np.clip(small / cell + 0.5, 0, 1))
        level = resize(level, rows, columns) * inside
        push = 0.3 * cell * cell
        for _ in range(70):
            level = (
                cv2.filter2D(level, -1, kernel, borderType=cv2.BORDER_CONSTANT) + push
            ) * inside
    weight = plane((small > 0.6 * height / level.shape[0]).astype(np.float32)) + 1e-4
    ratio = level / np.maximum(small, 1e-3) * weight
    even = blur(plane(ratio), 1.2) / np.maximum(blur(weight, 1.2), 1e-4)
    return blur(level, 0.8), plane(even), height / level.shape[0]


def inflated(distance: Plane, rows: int, columns: int) -> tuple[Plane, Plane]:
    """Signed distance and height of a stuffed part on a grid of `rows` x `columns`.

    `distance` is in units; both results are in pixels of the finer grid.
    """
    scale = rows / distance.shape[0]
    fine = resize(distance, rows, columns, cubic=True)
    level, ratio, cell = stuffing(distance)
    deep = resize(level, rows, columns, cubic=True)
    edge = resize(ratio, rows, columns) * fine
    blend = smoothstep(1.2 * cell, 4.0 * cell, fine)
    membrane = edge * (1 - blend) + deep * blend
    height = 2 * scale * np.sqrt(np.maximum(membrane, 0))
    return plane(fine * scale), plane(height)
