"""The pattern of a cushion: what a scene without one subject is sewn into."""

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush import shape
from markethall.content.imaging.plush.arrays import Bytes, Plane, plane, to_lab, unit
from markethall.content.imaging.plush.palette import dye, fabric_patches
from markethall.content.imaging.plush.pattern import Part, ToyFace, ToyPattern, frame
from markethall.content.imaging.plush.styles import PATTERN_SIDE, PlushStyle

LONGEST = 1.35
"""Longest ratio of a cushion's sides."""


def pillow(size: tuple[int, int], half: tuple[float, float], grow: float) -> Plane:
    """Signed distance to a pillow with pulled-out corners, centred a little low."""
    ys, xs = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    u = (xs - size[1] / 2) / half[0]
    v = (ys - size[0] * 0.515) / half[1]
    waist = 0.055
    side = np.abs(u) - (1 - waist * (1 - np.clip(np.abs(v), 0, 1) ** 2))
    lid = np.abs(v) - (1 - waist * (1 - np.clip(np.abs(u), 0, 1) ** 2))
    inside = np.maximum(side, lid) < 0
    return shape.rounded(inside, 4.0, grow)


def cushion(rgb: Bytes, style: PlushStyle) -> ToyPattern:
    """A piped cushion that shows all of `rgb` (h, w, 3), cropped to at most LONGEST."""
    height, width = rgb.shape[:2]
    aspect = float(np.clip(height / width, 1 / LONGEST, LONGEST))
    rows, columns = frame(aspect, PATTERN_SIDE)
    reach = style.fill * 0.98
    half_w = min(reach * columns, reach * rows / aspect) / 2
    half = (half_w, half_w * aspect)
    factor = max(2 * half[0] / width, 2 * half[1] / height)
    move = np.array(
        [
            [factor, 0, columns / 2 - factor * width / 2],
            [0, factor, rows * 0.515 - factor * height / 2],
        ]
    )
    photo = cv2.warpAffine(
        rgb, move, (columns, rows), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    calm = cv2.bilateralFilter(cv2.bilateralFilter(photo, 7, 35, 6), 7, 30, 6)
    lab = to_lab(unit(calm))
    size = (rows, columns)
    distance = pillow(size, half, 0.0)
    patches, found = fabric_patches(lab, distance > 0, style, extra=2, calm=0.45)
    colours = dye(found, style)
    shares = np.bincount(patches[distance > 0].ravel(), minlength=len(colours))
    cord = _cord_colour(colours, shares)
    table = plane(np.concatenate([colours, cord[None]]))
    parts = _ears(size, half, len(table) - 1, int(shares.argmax()), style)
    parts.append(Part(pillow(size, half, 4.2), len(table) - 1, style.puff * 0.45, 0.0))
    parts.append(Part(distance, patches, style.puff * 0.62, 1.0, photo=lab))
    face = None
    if style.fabric == "fluff":
        face = ToyFace(columns / 2, rows * 0.515 + half[1] * 0.42, min(half) * 0.42)
    return ToyPattern(rows, columns, table, parts, face)


def _cord_colour(colours: Plane, shares: NDArray[np.intp]) -> Plane:
    """The piping: the most vivid colour, a little darker."""
    vivid = np.hypot(colours[:, 1], colours[:, 2]) * np.minimum(1, shares / shares.sum() / 0.05)
    cord = colours[int(vivid.argmax())].copy()
    cord[0] = cord[0] * 0.8 if cord[0] > 55 else cord[0] + 18
    return plane(cord)


def _ears(
    size: tuple[int, int], half: tuple[float, float], cord: int, main: int, style: PlushStyle
) -> list[Part]:
    """Round corner ears for the playful styles."""
    if not style.limbs:
        return []
    parts = []
    x, y = size[1] / 2, size[0] * 0.515
    r = min(half) * 0.24
    for side in (-1, 1):
        centre = (x + side * half[0] * 0.74, y - half[1] * 0.97)
        parts.append(Part(shape.ellipse(size, centre, (r, r)), main, 0.8))
        parts.append(Part(shape.ellipse(size, centre, (r * 0.6, r * 0.6)), cord, 0.3, 6.0))
    return parts
