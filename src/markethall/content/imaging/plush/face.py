"""Eyes, nose, mouth and blush, as a toy-maker sews them on."""

import cv2
import numpy as np

from markethall.content.imaging.plush.arrays import Bytes, Plane, plane, to_rgb
from markethall.content.imaging.plush.pattern import ToyFace
from markethall.content.imaging.plush.stitch import thread
from markethall.content.imaging.plush.styles import PlushStyle

INK = plane([0.13, 0.09, 0.09])
"""Dark brown thread, RGB."""
CHALK = plane([0.93, 0.9, 0.84])
"""Off-white felt and thread, RGB."""
DARK_CLOTH = 70.0
"""Brightness 0..255 below which the face is sewn in pale thread."""


def _window(
    canvas: Bytes, x: float, y: float, reach: float
) -> tuple[slice, slice, Plane, Plane] | None:
    """The canvas around a point and the offsets (dx, dy) of its pixels."""
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    bottom, right = (
        min(canvas.shape[0], int(y + reach) + 2),
        min(canvas.shape[1], int(x + reach) + 2),
    )
    if bottom - top < 2 or right - left < 2:
        return None
    ys, xs = np.mgrid[top:bottom, left:right].astype(np.float32)
    return slice(top, bottom), slice(left, right), plane(xs - x), plane(ys - y)


def _mix(canvas: Bytes, rows: slice, columns: slice, colour: Plane, alpha: Plane) -> None:
    """Lays `colour` RGB 0..1 over part of the canvas."""
    under = plane(canvas[rows, columns]) / 255
    a = np.clip(alpha, 0, 1)[..., None]
    mixed = under * (1 - a) + colour * a
    canvas[rows, columns] = np.clip(mixed * 255 + 0.5, 0, 255).astype(np.uint8)


def _seat(canvas: Bytes, x: float, y: float, radius: float) -> None:
    """The dent that something hard presses into the cloth."""
    found = _window(canvas, x, y, radius * 2.0)
    if found is None:
        return
    rows, columns, dx, dy = found
    away = np.hypot(dx, dy - radius * 0.16) / radius
    dent = 0.55 * np.exp(-(np.maximum(away - 0.9, 0) ** 2) / 0.045)
    _mix(canvas, rows, columns, plane([0.12, 0.08, 0.08]), plane(dent))


def _brightness(canvas: Bytes, x: float, y: float, reach: float) -> float:
    """Mean brightness 0..255 of the canvas around a point."""
    found = _window(canvas, x, y, max(2.0, reach))
    return 255.0 if found is None else float(canvas[found[0], found[1]].mean())


def _patch(canvas: Bytes, x: float, y: float, radius: float) -> None:
    """A pale felt disc that sets an eye off from dark cloth."""
    found = _window(canvas, x, y, radius * 1.2)
    if found is None:
        return
    rows, columns, dx, dy = found
    away = np.hypot(dx, dy) / radius
    shade = (1.0 - 0.1 * (dx + dy) / radius - 0.25 * np.clip((away - 0.85) / 0.15, 0, 1))[..., None]
    _mix(canvas, rows, columns, plane(CHALK * shade * 0.9), plane((1 - away) * radius + 0.5))


def bead(
    canvas: Bytes, x: float, y: float, radius: float, gloss: float, iris: Plane | None
) -> None:
    """A glossy safety eye; `iris` RGB or None for a plain dark bead."""
    _seat(canvas, x, y, radius)
    found = _window(canvas, x, y, radius * 1.2)
    if found is None:
        return
    rows, columns, dx, dy = found
    u, v = dx / radius, dy / radius
    away = np.sqrt(u * u + v * v)
    body = plane(np.broadcast_to(plane([0.035, 0.028, 0.03]), (*u.shape, 3))).copy()
    lower = np.clip((v + 0.15) * 0.9, 0, 1) * np.clip(1 - away, 0, 1) ** 0.5
    body += lower[..., None] * plane([0.20, 0.14, 0.12])
    if iris is not None:
        ring = np.clip((0.86 - away) * radius * 0.5, 0, 1) * np.clip((away - 0.0) * 8, 0, 1)
        pupil = np.clip((1 - np.hypot(u / 0.42, v / 0.62)) * radius * 0.3 + 0.5, 0, 1)
        glow = iris * (0.5 + 0.65 * np.clip(v + 0.5, 0, 1.2))[..., None]
        body = body * (1 - ring[..., None]) + glow * ring[..., None]
        body = body * (1 - pupil[..., None]) + plane([0.03, 0.02, 0.02]) * pupil[..., None]
    edge = np.clip((away - 0.86) / 0.14, 0, 1)[..., None]
    body = body * (1 - 0.6 * edge)
    for cx, cy, size, power in ((-0.32, -0.36, 0.27, 1.0), (0.3, 0.34, 0.13, 0.6)):
        spot = np.clip((size - np.hypot(u - cx, v - cy)) * radius * 0.55 + 0.5, 0, 1)
        body += (spot * gloss * power)[..., None] * (plane([1.0, 1.0, 1.0]) - body)
    _mix(canvas, rows, columns, plane(np.clip(body, 0, 1)), plane((1 - away) * radius + 0.5))


def button(canvas: Bytes, x: float, y: float, radius: float, colour: Plane) -> None:
    """A four-hole button sewn on with crossed thread."""
    _seat(canvas, x, y, radius)
    found = _window(canvas, x, y, radius * 1.2)
    if found is None:
        return
    rows, columns, dx, dy = found
    u, v = dx / radius, dy / radius
    away = np.sqrt(u * u + v * v)
    slope = (-u * 0.6 - v * 0.8) / np.maximum(away, 0.05)
    rim = np.exp(-(((away - 0.84) / 0.13) ** 2))
    groove = np.exp(-(((away - 0.66) / 0.07) ** 2))
    light = 0.95 + 0.5 * slope * (rim * np.sign(away - 0.84) - groove * 0.8)
    light += 0.12 * (-u - v)
    body = colour * np.clip(light, 0.2, 2.2)[..., None]
    for hx, hy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        hole = np.clip((0.13 - np.hypot(u - hx * 0.24, v - hy * 0.24)) * radius + 0.5, 0, 1)
        body = body * (1 - hole[..., None]) + 0.02 * hole[..., None]
    shine = np.exp(-(((u + 0.5) / 0.2) ** 2 + ((v + 0.55) / 0.16) ** 2)) * 0.45
    body = body + shine[..., None]
    _mix(canvas, rows, columns, plane(np.clip(body, 0, 1)), plane((1 - away) * radius + 0.5))
    for sign in (-1, 1):
        arm = radius * 0.24
        ends = plane([[x - arm, y - sign * arm], [x + arm, y + sign * arm]])
        thread(canvas, ends, plane([0.93, 0.9, 0.84]), max(1.0, radius * 0.13))


def _curve(x: float, y: float, half: float, depth: float) -> Plane:
    """A smiling arc around (x, y), (n, 2)."""
    t = np.linspace(-1, 1, 17)
    return plane(np.stack([x + half * t, y + depth * (1 - t * t)], axis=1))


def mouth(canvas: Bytes, face: ToyFace, style: PlushStyle, scale: float, at: float) -> None:
    """The embroidered mouth, `at` units below the face's centre."""
    half = style.mouth_width * face.radius * scale * face.eye_scale
    width = max(1.3, (2.6 if style.stitches else 1.5) * scale)
    x, y = face.x * scale, (face.y + at) * scale
    ink = CHALK if _brightness(canvas, x, y, half) < DARK_CLOTH else INK
    if face.kind == "cat":
        half *= 1.25
        drop = half * 0.75
        thread(canvas, plane([[x, y - half * 0.9], [x, y]]), ink, width)
        for side in (-1, 1):
            thread(canvas, _curve(x + side * half * 0.72, y, half * 0.72, drop), ink, width)
        return
    thread(canvas, _curve(x, y, half, half * 0.75), ink, width)


def nose(canvas: Bytes, face: ToyFace, scale: float, at: float, size: float) -> None:
    """A small satin-stitched nose of rounded triangular shape."""
    if face.nose is None:
        return
    colour = to_rgb(face.nose)
    x, y = face.x * scale, (face.y + at) * scale
    r = size * face.radius * scale
    t = np.linspace(0, 2 * np.pi, 48)
    wide = np.cos(t) * (1 - 0.34 * np.sin(t))
    points = np.stack([x + r * 1.15 * wide, y + r * 0.78 * np.sin(t)], axis=1)
    _seat(canvas, x, y, r * 0.9)
    fixed = np.round(points * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], [float(c) * 255 * 0.85 for c in colour], cv2.LINE_AA, 4)
    found = _window(canvas, x, y - r * 0.28, r * 0.7)
    if found is None:
        return
    rows, columns, dx, dy = found
    glow = 0.55 * np.exp(-((dx / (r * 0.5)) ** 2) - (dy / (r * 0.22)) ** 2)
    _mix(canvas, rows, columns, plane([1.0, 0.96, 0.95]), plane(glow))


def sew_face(canvas: Bytes, face: ToyFace, style: PlushStyle, scale: float) -> None:
    """Draws the whole face onto `canvas`; `scale` is pixels per unit."""
    radius = style.eye * face.radius * scale * face.eye_scale
    radius = max(2.2 * scale, radius)
    gap = face.gap * face.radius * scale
    y = face.y * scale
    iris = None if face.iris is None else to_rgb(face.iris)
    dark = _brightness(canvas, face.x * scale, y, gap) < DARK_CLOTH
    for side in (-1, 1):
        x = face.x * scale + side * gap
        if dark:
            _patch(canvas, x, y, radius * 1.38)
        if style.stitches:
            button(canvas, x, y, radius, plane([0.1, 0.09, 0.11]) if iris is None else iris * 0.75)
        else:
            shown = iris if style.fabric in ("fluff", "pile") else None
            bead(canvas, x, y, radius, style.eye_gloss, shown)
    if face.kind == "cat":
        nose(canvas, face, scale, face.radius * 0.27, 0.1)
        mouth(canvas, face, style, scale, face.radius * 0.46)
    else:
        mouth(canvas, face, style, scale, face.radius * (0.26 if face.kind == "smile" else 0.34))


def blush(face: ToyFace, shape: tuple[int, int], scale: float) -> Plane:
    """0..1 where the cheeks are, (h, w) pixels."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    total = np.zeros(shape, np.float32)
    reach = 0.15 * face.radius * scale * min(1.5, max(1.0, face.eye_scale))
    for side in (-1, 1):
        x = (face.x + side * face.radius * (face.gap + 0.2)) * scale
        y = (face.y + face.radius * 0.27) * scale
        total += np.exp(-(((xs - x) / (reach * 1.3)) ** 2 + ((ys - y) / reach) ** 2))
    return plane(np.clip(total, 0, 1))
