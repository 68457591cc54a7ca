"""Vectors as arrays of shape (3, n), float32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Ints = NDArray[np.int32]


def vec(*parts: float) -> Array:
    return np.array(parts, np.float32)


def dot(a: Array, b: Array) -> Array:
    out: Array = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return out


def length(a: Array) -> Array:
    return np.sqrt(dot(a, a))


def unit(a: Array) -> Array:
    out: Array = a / np.maximum(length(a), 1e-12)
    return out


def cross(a: Array, b: Array) -> Array:
    return np.stack(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )


def reflect(d: Array, n: Array) -> Array:
    out: Array = d - 2 * dot(d, n) * n
    return out


def axes(z: Array, x: Array | None = None) -> Array:
    """Rows are the local axes x, y, z of a frame whose z is given, whose x lies near the other."""
    z = unit(np.asarray(z, np.float32))
    if x is None:
        x = vec(1, 0, 0) if abs(z[0]) < 0.9 else vec(0, 1, 0)
    x = unit(np.asarray(x, np.float32) - dot(np.asarray(x, np.float32), z) * z)
    return np.stack([x, cross(z, x), z]).astype(np.float32)


def turn(axis: str, degrees: float) -> Array:
    """The matrix that turns column vectors about a coordinate axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }[axis]
    return np.array(rows, np.float32)


def smoothstep(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    out: Array = t * t * (3 - 2 * t)
    return out
