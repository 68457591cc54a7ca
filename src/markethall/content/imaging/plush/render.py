"""The way from any photo to the picture of a plush toy."""

import cv2
import numpy as np
from PIL import Image

from markethall.content.imaging.plush.arrays import Bytes, Plane, plane, unit
from markethall.content.imaging.plush.character import cat_toy, person_toy
from markethall.content.imaging.plush.cushion import cushion
from markethall.content.imaging.plush.landmarks import find_face
from markethall.content.imaging.plush.object_toy import object_toy
from markethall.content.imaging.plush.pattern import ToyPattern
from markethall.content.imaging.plush.segment import (
    LEAST_CONFIDENCE,
    SEGMENT_SIDE,
    find_subject,
)
from markethall.content.imaging.plush.styles import STYLES, PlushStyle
from markethall.content.imaging.plush.workshop import sew

WORKING_SIDE = 640
"""Longer side of the photo that is worked on, pixels."""
LEAST_SIDE = 200
"""Smaller photos are enlarged to this longer side, pixels."""
EMPTY = 235.0
"""Grey 0..255 that shows through a transparent photo."""
SIDES = (512, 768, 1024)


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Deep greyscale stretched to 8 bits; any other picture as it is."""
    if not (picture.mode.startswith("I") or picture.mode == "F"):
        return picture
    values = np.nan_to_num(np.asarray(picture, dtype=np.float64), posinf=0.0, neginf=0.0)
    span = float(np.ptp(values)) or 1.0
    return Image.fromarray(((values - values.min()) / span * 255).astype(np.uint8))


def reduced(picture: Image.Image) -> tuple[Bytes, Plane | None]:
    """The photo as RGB of about WORKING_SIDE, and its alpha 0..1 if it has holes."""
    longest = max(picture.size)
    if longest > 2 * WORKING_SIDE and picture.mode in ("L", "RGB", "RGBA", "CMYK"):
        picture = picture.reduce(longest // (2 * WORKING_SIDE))
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    picture = _eight_bit(picture).convert(mode)
    longest = max(picture.size)
    wanted = float(np.clip(longest, LEAST_SIDE, WORKING_SIDE))
    width, height = (max(4, round(edge * wanted / longest)) for edge in picture.size)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    values = np.array(picture)
    if mode == "RGB":
        return values, None
    alpha = unit(values[..., 3])
    rgb = np.ascontiguousarray(values[..., :3])
    if float(alpha.min()) > 0.5:
        return rgb, None
    over = plane(rgb) * alpha[..., None] + EMPTY * (1 - alpha[..., None])
    return over.astype(np.uint8), alpha


def choose_pattern(rgb: Bytes, alpha: Plane | None, style: PlushStyle) -> ToyPattern:
    """The pattern that suits the photo: a cat, a person, the subject's own shape, a cushion."""
    face = find_face(rgb)
    if face is not None and face.kind == "cat":
        return cat_toy(rgb, face, style)
    factor = min(1.0, SEGMENT_SIDE / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    small: Bytes = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    subject = find_subject(small, alpha, face)
    if face is not None:
        return person_toy(rgb, face, subject.mask, style)
    if subject.confidence < LEAST_CONFIDENCE:
        return cushion(rgb, style)
    return object_toy(rgb, subject, style)


def render_plush(picture: Image.Image, *, style: str, longer_side: int, seed: int) -> Image.Image:
    """The picture of a plush toy of what `picture` shows.

    `style` names one of STYLES; `longer_side` is the result's longer side in pixels. The
    same arguments always give the same pixels.
    """
    if style not in STYLES:
        raise ValueError(f"unknown plush style {style!r}")
    if longer_side not in SIDES:
        raise ValueError(f"longer_side must be one of {SIDES}, not {longer_side}")
    rgb, alpha = reduced(picture)
    rng = np.random.default_rng(seed & 0xFFFFFFFF)
    pattern = choose_pattern(rgb, alpha, STYLES[style])
    return Image.fromarray(sew(pattern, STYLES[style], longer_side, rng), "RGB")
