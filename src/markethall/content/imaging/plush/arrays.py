"""Array types and the few conversions between photo, colour and grid that all steps share."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""One float32 value per pixel, shape (h, w), or three, shape (h, w, 3)."""
Labels = NDArray[np.uint8]
"""One patch number per pixel, shape (h, w)."""
Bytes = NDArray[np.uint8]
"""An 8-bit picture, shape (h, w, 3) RGB or (h, w)."""


def plane(values: Any) -> Plane:
    """`values` as float32."""
    return np.asarray(values, dtype=np.float32)


def unit(picture: Any) -> Plane:
    """An 8-bit picture as float32 0..1."""
    return plane(plane(picture) / np.float32(255))


def blur(values: Plane, sigma: float) -> Plane:
    """Gaussian blur; `sigma` in pixels, none below a tenth of a pixel."""
    if sigma < 0.1:
        return values
    return plane(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def soft_blur(values: Plane, sigma: float) -> Plane:
    """A wide blur made cheap by working on a reduced copy."""
    height, width = values.shape[:2]
    factor = max(1, int(sigma / 2.5))
    if factor == 1:
        return blur(values, sigma)
    size = (max(2, width // factor), max(2, height // factor))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return resize(blur(plane(small), sigma / factor), height, width)


def resize(values: Plane, height: int, width: int, *, cubic: bool = False) -> Plane:
    """`values` on a grid of `height` x `width`."""
    if values.shape[:2] == (height, width):
        return values
    how = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return plane(cv2.resize(values, (width, height), interpolation=how))


def to_lab(rgb: Plane) -> Plane:
    """CIELAB (L 0..100) of RGB 0..1; any shape (..., 3)."""
    flat = np.ascontiguousarray(plane(rgb).reshape(1, -1, 3))
    return plane(cv2.cvtColor(flat, cv2.COLOR_RGB2LAB)).reshape(rgb.shape)


def to_rgb(lab: Plane) -> Plane:
    """RGB 0..1 of CIELAB; any shape (..., 3)."""
    flat = np.ascontiguousarray(plane(lab).reshape(1, -1, 3))
    return plane(np.clip(cv2.cvtColor(flat, cv2.COLOR_LAB2RGB), 0, 1)).reshape(lab.shape)


def signed_distance(inside: NDArray[np.bool_]) -> Plane:
    """Distance to the outline in pixels, positive inside; shape as `inside`."""
    filled = inside.astype(np.uint8)
    within = cv2.distanceTransform(filled, cv2.DIST_L2, 5)
    without = cv2.distanceTransform(1 - filled, cv2.DIST_L2, 5)
    return plane(np.where(inside, within - 0.5, 0.5 - without))


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 below `low`, 1 above `high`, smooth between."""
    t = plane(values - low)
    t /= high - low
    np.clip(t, 0, 1, out=t)
    return plane(t * t * (3 - 2 * t))
