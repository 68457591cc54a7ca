"""The pattern of a thing or an animal cut out of the photo as it stands."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush.arrays import (
    Bytes,
    Labels,
    Plane,
    blur,
    plane,
    signed_distance,
    to_lab,
    unit,
)
from markethall.content.imaging.plush.palette import dye, fabric_patches
from markethall.content.imaging.plush.pattern import Part, ToyFace, ToyPattern, frame
from markethall.content.imaging.plush.segment import Subject
from markethall.content.imaging.plush.shape import (
    ellipse,
    levelled,
    mirrored,
    sewn_outline,
    without_skirt,
)
from markethall.content.imaging.plush.styles import PATTERN_SIDE, PlushStyle

SLENDER_ROOM = 1.4
"""How much longer than the style's limit a very long subject may stay."""
STOUT = 0.11
"""Least half width of the toy's body relative to its longer side."""


def _placed(
    rgb: Bytes, subject: Subject, style: PlushStyle
) -> tuple[Bytes, NDArray[np.bool_], tuple[float, float]]:
    """Photo and mask moved onto the pattern, the subject centred and made stockier."""
    ys, xs = np.nonzero(subject.mask)
    scale = rgb.shape[0] / subject.mask.shape[0]
    top, left = ys.min() * scale, xs.min() * scale
    tall, wide = (np.ptp(ys) + 1) * scale, (np.ptp(xs) + 1) * scale
    deep = float(signed_distance(subject.mask).max()) * scale
    stout = float(np.clip(STOUT * max(tall, wide) / max(deep, 1.0), 1.0, 1.9))
    aspect = tall / wide / stout if tall > wide else tall / wide * stout
    limit = style.aspect_limit * (SLENDER_ROOM if max(aspect, 1 / aspect) > 2.5 else 1.0)
    target = float(np.clip(aspect**0.85, 1 / limit, limit))
    height, width = frame(target, PATTERN_SIDE)
    room = style.fill - 2 * style.plump / PATTERN_SIDE
    box_w = min(room * width, room * height * 0.98 / target)
    box_h = box_w * target
    origin = ((width - box_w) / 2, height * 0.515 - box_h / 2)
    move = np.array(
        [
            [box_w / wide, 0, origin[0] - left * box_w / wide],
            [0, box_h / tall, origin[1] - top * box_h / tall],
        ]
    )
    photo = cv2.warpAffine(
        rgb, move, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    small = move.copy()
    small[:, :2] *= scale
    soft = cv2.warpAffine(
        blur(plane(subject.mask), 0.8), small, (width, height), flags=cv2.INTER_LINEAR
    )
    return photo.astype(np.uint8), soft > 0.5, (box_w, box_h)


def _closed_where_cut(
    inside: NDArray[np.bool_], subject: Subject, box: tuple[float, float]
) -> NDArray[np.bool_]:
    """Where the photo's frame cut the subject, the toy ends in a round hem."""
    if _solidity(signed_distance(inside)) > 0.72:
        inside = levelled(inside)
    inside = mirrored(inside)
    if not subject.cut:
        return inside
    height, width = inside.shape
    centre = (width / 2, height * 0.515)
    hem = ellipse((height, width), centre, (box[0] / 2 + 1, box[1] / 2 + 1), power=3.2)
    kept = inside & (hem > 0)
    return kept if kept.sum() > 0.5 * inside.sum() else inside


def _face_spot(distance: Plane) -> tuple[float, float, float]:
    """Centre and radius of the roundest place in the upper part of the body."""
    height, width = distance.shape
    ys, xs = np.nonzero(distance > 0)
    top, bottom = float(ys.min()), float(ys.max())
    rows = np.arange(height, dtype=np.float32)[:, None]
    high = 0.42 if _solidity(distance) > 0.72 else 0.16
    wish = np.exp(
        -0.5 * ((rows - (top + high * (bottom - top))) / (0.6 * high * (bottom - top) + 1)) ** 2
    )
    axis = float(np.median(xs))
    columns = np.arange(width, dtype=np.float32)[None]
    if high > 0.4:
        wish = wish * np.exp(-0.5 * ((columns - axis) / (0.35 * float(np.ptp(xs)) + 1)) ** 2)
    score = np.maximum(distance, 0) * (0.25 + 0.75 * wish) if high > 0.4 else distance * wish
    y, x = np.unravel_index(int(score.argmax()), score.shape)
    return float(x), float(y), float(distance[y, x])


def _stoutness(inside: NDArray[np.bool_]) -> float:
    """How much a spindly shape needs to gain all round before it can be stuffed, units."""
    ys, xs = np.nonzero(inside)
    longest = float(max(np.ptp(ys), np.ptp(xs)))
    return float(np.clip(0.6 * (STOUT * longest - signed_distance(inside).max()), 0, 15))


def _solidity(distance: Plane) -> float:
    """Share of its convex hull that a shape fills: animals with legs fill little."""
    filled = (distance > 0).astype(np.uint8)
    outlines, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)
    return float(filled.sum() / max(1.0, cv2.contourArea(cv2.convexHull(outline))))


def _sits(distance: Plane) -> bool:
    """Whether the shape rests on one broad base, so that it can be given feet."""
    ys = np.nonzero((distance > 0).any(axis=1))[0]
    low = distance[int(ys[-1] - 0.16 * (ys[-1] - ys[0]))] > 0
    return _solidity(distance) > 0.72 and int(np.diff(low.astype(np.int8)).clip(0).sum()) <= 1


def _face_panel(face: ToyFace, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a calm piece of one cloth is sewn in behind the face."""
    centre = (face.x, face.y + 0.12 * face.radius)
    return np.asarray(ellipse(shape, centre, (0.72 * face.radius, 0.5 * face.radius)) > 0)


def _with_panel(
    patches: Labels, lab: Plane, panel: NDArray[np.bool_], found: Plane
) -> tuple[Labels, Plane]:
    """Patches and photo with one cloth of `found` (k, 3) in the panel, the lighter the better."""
    if not panel.any():
        return patches, lab
    votes = np.bincount(patches[panel], minlength=len(found)) * (found[:, 0] + 12)
    cloth = int(votes.argmax())
    plain, calm = patches.copy(), lab.copy()
    plain[panel] = cloth
    calm[panel] = found[cloth]
    return plain, calm


def _limbs(distance: Plane, radius: float, colour: int, style: PlushStyle) -> list[Part]:
    """Two feet and two arms, sized by the body."""
    shape = (distance.shape[0], distance.shape[1])
    ys, xs = np.nonzero(distance > 0)
    bottom, tall = float(ys.max()), float(np.ptp(ys))
    low = xs[ys > bottom - 0.14 * tall]
    middle, spread = float(np.median(low)), float(np.ptp(low)) / 2
    size = float(np.clip(0.1 * tall + 0.12 * radius, 12, 32))
    gap = max(size * 0.95, min(spread * 0.55, radius * 0.8))
    parts = []
    for side in (-1, 1):
        foot = ellipse(
            shape,
            (middle + side * gap, bottom - size * 0.1),
            (size * 1.02, size * 0.8),
            turn=side * 8.0,
        )
        parts.append(Part(foot, colour, 0.9, 3.0))
    row = int(np.clip(bottom - 0.4 * tall, 0, shape[0] - 1))
    edge = np.nonzero(distance[row] > 0)[0]
    if len(edge):
        for side, at in ((-1, float(edge.min())), (1, float(edge.max()))):
            arm = ellipse(
                shape,
                (at - side * size * 0.1, row + size * 0.3),
                (size * 0.56, size * 1.05),
                turn=side * -38.0,
            )
            parts.append(Part(arm, colour, 0.9, 2.0))
    return parts


def object_toy(rgb: Bytes, subject: Subject, style: PlushStyle) -> ToyPattern:
    """The pattern of the subject in `rgb` (h, w, 3), which may be larger than its mask."""
    if subject.cut:
        subject = replace(subject, mask=without_skirt(subject.mask))
    photo, inside, box = _placed(rgb, subject, style)
    calm = cv2.bilateralFilter(photo, 9, 40, 7)
    calm = cv2.bilateralFilter(calm, 9, 30, 9)
    lab = to_lab(unit(calm))
    depth = signed_distance(inside)
    core = depth > min(4.0, 0.3 * float(depth.max()))
    patches, found = fabric_patches(lab, core, style)
    distance = sewn_outline(
        _closed_where_cut(inside, subject, box), style.soften, style.plump + _stoutness(inside)
    )
    shift = _room_below(distance)
    distance = plane(np.roll(distance, shift, axis=0))
    patches = np.roll(patches, shift, axis=0)
    lab = plane(np.roll(lab, shift, axis=0))
    colours = dye(found, style)
    x, y, radius = _face_spot(distance)
    face = ToyFace(x, y, float(np.clip(radius, 17.0, 0.2 * PATTERN_SIDE)))
    panel = _face_panel(face, (distance.shape[0], distance.shape[1]))
    patches, lab = _with_panel(patches, lab, panel, found)
    body = Part(distance, patches, style.puff, photo=lab)
    parts = [body]
    if style.limbs and _sits(distance):
        shares = np.bincount(patches[distance > 0].ravel(), minlength=len(colours))
        parts += _limbs(distance, radius, int(shares.argmax()), style)
    return ToyPattern(inside.shape[0], inside.shape[1], colours, parts, face)


def _room_below(distance: Plane) -> int:
    """Rows to move the toy so that it rests a little above the frame's lower edge."""
    ys = np.nonzero((distance > 0).any(axis=1))[0]
    height = distance.shape[0]
    spare = (height - (ys.max() - ys.min())) / 2
    return round(float(spare * 1.12 - ys[0]))
