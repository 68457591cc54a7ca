"""Metals: the colour they reflect at right angles, linear, red green blue."""

from __future__ import annotations

import numpy as np

from .vectors import Array

METALS = {
    "yellow-gold": (1.0, 0.665, 0.265),
    "rose-gold": (0.95, 0.60, 0.465),
    "white-gold": (0.86, 0.845, 0.82),
    "platinum": (0.76, 0.755, 0.755),
}


def colours(names: tuple[str, ...]) -> Array:
    """Shape (metals, 3)."""
    return np.array([METALS[name] for name in names], np.float32)


def fresnel(facing: Array, base: Array) -> Array:
    """Schlick's reflectance, (n, metals, 3), for the cosines `facing` (n)."""
    rise = ((1 - np.clip(facing, 0, 1)) ** 5)[:, None, None]
    out: Array = base[None] + (1 - base[None]) * rise
    return out
