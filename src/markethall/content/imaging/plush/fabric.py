"""Cloth: the fine structure of felt, jersey and pile, and single strands of fur."""

import cv2
import numpy as np

from markethall.content.imaging.plush.arrays import Bytes, Plane, blur, plane
from markethall.content.imaging.plush.styles import PlushStyle


def _noise(rng: np.random.Generator, height: int, width: int, cell: float) -> Plane:
    """Smooth noise of unit deviation with features about `cell` pixels wide."""
    rows, columns = max(2, round(height / cell) + 2), max(2, round(width / cell) + 2)
    small = plane(rng.standard_normal((rows, columns)))
    big = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return plane(big / max(1e-6, float(big.std())))


def felt(rng: np.random.Generator, height: int, width: int, scale: float) -> Plane:
    """Matted short fibres: relief of about unit deviation, (h, w)."""
    fine = plane(rng.standard_normal((height, width)))
    fibres = np.zeros_like(fine)
    length = max(3, int(3.2 * scale)) | 1
    for angle in (12.0, 57.0, 101.0, 148.0):
        kernel = np.zeros((length, length), np.float32)
        turn = np.deg2rad(angle)
        end = np.array([np.cos(turn), np.sin(turn)]) * (length // 2)
        middle = length // 2
        first = (round(middle - end[0]), round(middle - end[1]))
        cv2.line(kernel, first, (round(middle + end[0]), round(middle + end[1])), 1.0, 1)
        fine = np.roll(fine, (17, 31), axis=(0, 1))
        fibres = np.maximum(fibres, cv2.filter2D(fine, -1, kernel / np.sqrt(kernel.sum())))
    relief = fibres - float(fibres.mean())
    mottle = _noise(rng, height, width, 7 * scale)
    return plane(relief / float(relief.std()) + 0.35 * mottle)


def jersey(rng: np.random.Generator, height: int, width: int, scale: float) -> Plane:
    """Fine knitted rows: relief of about unit deviation, (h, w)."""
    pitch = max(2.6, 2.0 * scale)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    wander = _noise(rng, height, width, 30 * scale) * 0.5
    phase = 2 * np.pi * (xs + wander * pitch) / pitch
    loops = np.cos(phase) * 0.7 + 0.6 * np.cos(
        2 * np.pi * ys / (pitch * 0.9) + 1.9 * np.abs(np.sin(phase / 2))
    )
    fluff = plane(rng.standard_normal((height, width)))
    relief = plane(loops) + 0.45 * blur(fluff, 0.6)
    return plane(relief / float(relief.std()))


def pile_flow(
    rng: np.random.Generator, normal: Plane, scale: float, droop: float, swirl: float
) -> Plane:
    """Directions in which fur lies, (h, w, 2): outwards, downwards and in tufts."""
    height, width = normal.shape[:2]
    flow = np.empty((height, width, 2), np.float32)
    flow[..., 0] = normal[..., 0] + 0.02
    flow[..., 1] = normal[..., 1] + droop
    turn = _noise(rng, height, width, 16 * scale) * swirl
    turn += _noise(rng, height, width, 6 * scale) * swirl * 0.7
    c, s = np.cos(turn), np.sin(turn)
    x, y = flow[..., 0] * c - flow[..., 1] * s, flow[..., 0] * s + flow[..., 1] * c
    size = np.sqrt(x * x + y * y) + 1e-4
    return plane(np.stack([x / size, y / size], axis=-1))


def fur(
    canvas: Bytes,
    colour: Plane,
    roots: Plane,
    flow: Plane,
    lengths: Plane,
    rng: np.random.Generator,
    style: PlushStyle,
    scale: float,
) -> None:
    """Draws strands onto `canvas` (h, w, 3) in the order of `roots`.

    `colour` is the lit cloth (h, w, 3) 0..1, `roots` (n, 2) x, y in pixels, `lengths` (n,)
    in pixels.
    """
    height, width = colour.shape[:2]
    xi = np.clip(roots[:, 0].astype(int), 0, width - 1)
    yi = np.clip(roots[:, 1].astype(int), 0, height - 1)
    way = flow[yi, xi] + plane(rng.normal(0, 0.22, (len(roots), 2)))
    curl = plane(rng.normal(0, 0.38, len(roots)))[:, None]
    side = np.stack([-way[:, 1], way[:, 0]], axis=1)
    long = lengths[:, None]
    middle = roots + way * long * 0.5
    tip = middle + (way + side * curl) * long * 0.5
    shade = plane(rng.normal(1.0, 0.085, len(roots)))[:, None]
    base = colour[yi, xi] * 255
    deep = np.clip(base * shade * 0.86, 0, 255)
    bright = np.clip(base * (shade * 1.0 + 0.07) + 7, 0, 255)
    points = np.round(np.stack([roots, middle, tip], axis=1) * 16).astype(np.int32)
    thick = max(1, round(style.strand_width * scale))
    lower, upper = points[:, :2], points[:, 1:]
    strands = zip(lower, upper, deep.tolist(), bright.tolist(), strict=True)
    for first, second, dark, light in strands:
        cv2.polylines(canvas, [first], False, dark, thick, cv2.LINE_AA, 4)
        cv2.polylines(canvas, [second], False, light, 1, cv2.LINE_AA, 4)


def root_grid(rng: np.random.Generator, inside: Plane, step: float) -> Plane:
    """Jittered strand roots (n, 2) x, y where `inside` (h, w) is positive."""
    height, width = inside.shape
    ys, xs = np.mgrid[0 : height : float(step), 0 : width : float(step)]
    spots = np.stack([xs.ravel(), ys.ravel()], axis=1) + rng.uniform(0, step, (xs.size, 2))
    xi = np.clip(spots[:, 0].astype(int), 0, width - 1)
    yi = np.clip(spots[:, 1].astype(int), 0, height - 1)
    return plane(spots[inside[yi, xi] > 0])
