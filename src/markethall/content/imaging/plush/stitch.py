"""Thread: dashed stitches, embroidered lines and the small sewn-in tag."""

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush.arrays import Bytes, Plane, plane

FRACTION = 4
"""Bits of sub-pixel precision in drawn points."""


def _fixed(points: Plane) -> NDArray[np.int32]:
    return np.round(points * (1 << FRACTION)).astype(np.int32)


def line(canvas: Bytes, points: Plane, colour: Plane, thickness: float) -> None:
    """A smooth polyline; `points` (n, 2) pixels, `colour` RGB 0..1."""
    ink = [float(c) * 255 for c in colour]
    cv2.polylines(
        canvas, [_fixed(points)], False, ink, max(1, round(thickness)), cv2.LINE_AA, FRACTION
    )


def thread(canvas: Bytes, points: Plane, colour: Plane, width: float) -> None:
    """One raised stitch along `points`: a shadow, the thread and its highlight."""
    drop = plane([0.25, 0.45]) * width
    line(canvas, plane(points + drop), plane(colour * 0.32), width * 1.12)
    line(canvas, points, plane(colour * 0.88), width)
    line(
        canvas, plane(points - drop * 0.42), plane(np.clip(colour * 1.1 + 0.08, 0, 1)), width * 0.38
    )


def resampled(points: Plane, step: float) -> Plane:
    """The polyline at even distances of `step` pixels."""
    gaps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    count = max(2, int(along[-1] / step) + 1)
    at = np.linspace(0, along[-1], count)
    return plane(np.stack([np.interp(at, along, points[:, k]) for k in (0, 1)], axis=1))


def running_stitch(
    canvas: Bytes, points: Plane, colour: Plane, dash: float, gap: float, width: float
) -> None:
    """Dashes of `dash` pixels, `gap` apart, along a polyline."""
    step = max(1.0, dash / 4)
    path = resampled(points, step)
    period = max(2, round((dash + gap) / step))
    span = max(2, round(dash / step) + 1)
    for start in range(0, len(path) - span + 1, period):
        thread(canvas, plane(path[start : start + span]), colour, width)


def contours(inside: NDArray[np.bool_], least: float, smooth: float) -> list[Plane]:
    """Closed smooth outlines (n, 2) of a mask, shorter ones than `least` pixels left out."""
    found, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    result = []
    for contour in found:
        points = plane(contour[:, 0])
        if len(points) < max(8.0, least):
            continue
        ring = np.concatenate([points, points, points])
        even = cv2.GaussianBlur(ring, (1, 0), sigmaX=0.1, sigmaY=smooth)
        result.append(plane(even[len(points) : 2 * len(points) + 1]))
    return result


def tag(canvas: Bytes, at: tuple[float, float], size: float, heart: Plane) -> None:
    """A folded ribbon tag with a heart, its left edge sewn in at `at` (x, y) pixels."""
    x, y = at
    tall, wide = size * 0.78, size
    slant = size * 0.2
    ribbon = plane(
        [[x - wide * 0.3, y], [x + wide, y + slant], [x + wide - 1, y + slant + tall],
         [x - wide * 0.3, y + tall]]
    )  # fmt: skip
    shade = canvas.copy()
    cv2.fillPoly(shade, [_fixed(plane(ribbon + size * 0.1))], [40, 36, 36], cv2.LINE_AA, FRACTION)
    cv2.addWeighted(cv2.GaussianBlur(shade, (0, 0), size * 0.09), 0.3, canvas, 0.7, 0, canvas)
    cv2.fillPoly(canvas, [_fixed(ribbon)], [246, 241, 232], cv2.LINE_AA, FRACTION)
    edge = np.concatenate([ribbon[1:3], ribbon[2:3]])
    line(canvas, plane(edge), plane([0.80, 0.76, 0.70]), size * 0.05)
    t = np.linspace(0, 2 * np.pi, 40)
    shape = np.stack(
        [
            16 * np.sin(t) ** 3,
            -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)),
        ],
        axis=1,
    )
    centre = np.array([x + wide * 0.5, y + slant * 0.62 + tall * 0.5])
    ink = [float(c) * 255 for c in heart]
    points = plane(shape / 16 * size * 0.22 + centre)
    cv2.fillPoly(canvas, [_fixed(points)], ink, cv2.LINE_AA, FRACTION)


def tag_spot(distance: Plane) -> tuple[float, float] | None:
    """Where a tag would be sewn into the right-hand seam, or None; pixels of `distance`."""
    rows = np.nonzero((distance > 0).any(axis=1))[0]
    if len(rows) < 8:
        return None
    row = int(rows[0] + 0.66 * (rows[-1] - rows[0]))
    edge = float(np.nonzero(distance[row] > 0)[0].max())
    if distance.shape[1] - edge < 0.06 * distance.shape[1]:
        return None
    return edge, float(row)
