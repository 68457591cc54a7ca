"""A camera on a tripod."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .vectors import Array, cross, unit, vec


@dataclass(frozen=True)
class Camera:
    """Looks at a point from an azimuth (0: the front) and height in degrees.

    `span`: millimetres seen across the picture's height at the point looked at.
    `lens`: field of view in degrees. `aperture`: radius of the lens in millimetres (0: all sharp).
    """

    at: tuple[float, float, float]
    span: float
    azimuth: float = 0.0
    height: float = 24.0
    lens: float = 17.0
    aperture: float = 0.0
    focus: float = 0.0

    def rays(self, x: Array, y: Array, width: int, tall: int, lens: Array) -> tuple[Array, Array]:
        """Origins and directions for pixel coordinates; `lens`: points on the unit disc (2, n)."""
        a, h = np.radians(self.azimuth), np.radians(self.height)
        back = vec(np.sin(a) * np.cos(h), -np.cos(a) * np.cos(h), np.sin(h))
        right = unit(cross(vec(0, 0, 1), back))
        up = cross(back, right)
        away = self.span / 2 / np.tan(np.radians(self.lens / 2))
        eye = vec(*self.at) + back * np.float32(away)
        scale = self.span / tall
        u, v = (x - width / 2) * scale, (tall / 2 - y) * scale
        target = vec(*self.at)[:, None] + right[:, None] * u + up[:, None] * v
        o = np.repeat(eye[:, None], len(u), 1)
        d = unit(target - o)
        if self.aperture:
            sharp = o + d * ((away - self.focus) / -(back @ d))
            shift = right[:, None] * lens[0] + up[:, None] * lens[1]
            o = o + shift * np.float32(self.aperture)
            d = unit(sharp - o)
        return o.astype(np.float32), d.astype(np.float32)
