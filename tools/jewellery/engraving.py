"""Letters cut into metal: a relief that bends the normals."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .solids import BAND
from .vectors import Array, Ints

SIZE = 512
DEPTH = 36.0


def relief(letters: str) -> Array:
    """Slopes (2, size, size) of letters inside a thin oval line, on the square from -1 to 1."""
    picture = Image.new("L", (SIZE, SIZE), 0)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=SIZE * (0.5 if len(letters) == 1 else 0.34))
    pen.text((SIZE / 2, SIZE / 2), letters, fill=255, font=font, anchor="mm")
    for inset in (50, 62):
        pen.ellipse((inset, inset, SIZE - inset, SIZE - inset), outline=200, width=4)
    depth = cv2.GaussianBlur(np.asarray(picture, np.float32) / 255, (0, 0), 2.2)
    down, right = np.gradient(depth)
    out: Array = np.stack([right, down]).astype(np.float32) * -DEPTH / 4
    return out


def slope(letters: Array, local: Array, numbers: Array, shape: Ints) -> Array:
    """Slopes along a solid's three axes, (3, n): on a band's flat top, on a disc's face."""
    band = shape == BAND
    half = np.where(band, 4.9, numbers[0])
    tall = np.where(band, 4.9, numbers[4])
    across = np.where(band, local[1] / half, local[0] / half)
    along = np.where(band, local[2] / tall, local[1] / tall)
    face = np.where(band, local[0] > numbers[7] - 0.05, local[2] > 0)
    x = ((across * 0.5 + 0.5) * SIZE).astype(np.float32)
    y = ((0.5 - along * 0.5) * SIZE).astype(np.float32)
    column, row = np.clip(x, 0, SIZE - 1).astype(int), np.clip(y, 0, SIZE - 1).astype(int)
    u, v = (letters[i, row, column] * face for i in (0, 1))
    zero = np.zeros_like(u)
    out: Array = np.stack(
        [np.where(band, zero, u), np.where(band, u, -v), np.where(band, -v, zero)]
    )
    return out.astype(np.float32)
