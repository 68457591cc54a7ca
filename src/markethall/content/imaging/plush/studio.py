"""The photographer: light, backdrop, contact shadow and vignette."""

import cv2
import numpy as np

from markethall.content.imaging.plush.arrays import (
    Bytes,
    Plane,
    plane,
    smoothstep,
    soft_blur,
    to_rgb,
)
from markethall.content.imaging.plush.styles import PlushStyle

KEY = np.array([-0.46, -0.62, 0.64], np.float32) / np.float32(1.0)
RIM = np.array([0.75, -0.45, 0.1], np.float32)
_KEY_TINT = plane([1.06, 1.02, 0.96])
_SKY_TINT = plane([0.34, 0.36, 0.4])
_BOUNCE_TINT = plane([0.22, 0.2, 0.18])


def backdrop(colours: Plane, weights: Plane, style: PlushStyle) -> tuple[Plane, Plane]:
    """Wall and floor (RGB 0..1) that flatter a toy of these Lab colours."""
    mean = (colours * weights[:, None]).sum(axis=0) / max(1e-6, float(weights.sum()))
    strong = colours[int((np.hypot(colours[:, 1], colours[:, 2]) * np.sqrt(weights)).argmax())]
    hue = float(np.arctan2(strong[2], strong[1]))
    turn = {"fluff": 0.45, "pile": 0.0, "felt": np.pi, "jersey": 0.25}[style.fabric]
    chroma = style.backdrop
    wall_light = {"fluff": 90.0, "pile": 86.0, "felt": 84.0, "jersey": 92.0}[style.fabric]
    if mean[0] > 78:
        wall_light -= 9.0
    wall = [wall_light, chroma * np.cos(hue + turn), chroma * np.sin(hue + turn)]
    floor = [wall_light - 4.0, wall[1] * 0.8, wall[2] * 0.8]
    return to_rgb(plane(wall)), to_rgb(plane(floor))


def stage(shape: tuple[int, int], ground: float, wall: Plane, floor: Plane) -> Plane:
    """The empty set, (h, w, 3) RGB 0..1; `ground` is the row where the toy stands."""
    height, width = shape
    ys = np.arange(height, dtype=np.float32)[:, None] / height
    xs = np.arange(width, dtype=np.float32)[None] / width
    horizon = ground / height - 0.13
    below = smoothstep(horizon - 0.07, horizon + 0.09, plane(ys))[..., None]
    glow = np.exp(-(((xs - 0.46) / 0.5) ** 2 + ((ys - 0.42) / 0.5) ** 2))[..., None]
    base = wall * (1 - below) + floor * below
    pool = np.exp(-(((xs - 0.45) / 0.5) ** 2 + ((ys - ground / height) / 0.2) ** 2))[..., None]
    return plane(np.clip(base * (0.86 + 0.15 * glow + 0.05 * pool * below), 0, 1))


def shadows(outline: Plane, ground: float, scale: float) -> Plane:
    """0..1 darkness on the set: contact line, soft pool and cast shadow. (h, w)."""
    height = outline.shape[0]
    rows = np.arange(height, dtype=np.float32)[:, None]
    solid = plane(np.clip(outline + 0.5, 0, 1))
    near = plane(solid * np.exp(-np.maximum(ground - rows, 0) / (16 * scale)))
    columns = plane(near.max(axis=0, keepdims=True))
    contact = plane(columns * np.exp(-(((rows - ground + 2 * scale) / (4.5 * scale)) ** 2)))
    contact = soft_blur(contact, 3.5 * scale)
    wide = plane(solid.max(axis=0, keepdims=True))
    pool = plane(wide * np.exp(-(((rows - ground) / (13 * scale)) ** 2)))
    pool = soft_blur(pool, 12 * scale)
    move = np.roll(solid, (int(9 * scale), int(15 * scale)), axis=(0, 1))
    cast = soft_blur(plane(move), 17 * scale) * smoothstep(
        ground - 190 * scale, ground, plane(np.broadcast_to(rows, solid.shape))
    )
    fade = smoothstep(-30 * scale, 0, plane(ground + 26 * scale - rows))
    total = 1 - (1 - 0.62 * contact) * (1 - 0.42 * pool) * (1 - 0.26 * cast * fade)
    return plane(np.clip(total, 0, 0.85))


def normals(height: Plane) -> Plane:
    """Unit surface normals (h, w, 3) of a height field in pixels; z towards the viewer."""
    gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=-0.125)
    gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=-0.125)
    inverse = 1 / np.sqrt(gx * gx + gy * gy + 1)
    return plane(cv2.merge([gx * inverse, gy * inverse, inverse]))


def occlusion(height: Plane, outline: Plane, scale: float) -> Plane:
    """0..1 darkness in creases, from how far a place lies below its surroundings.

    The toy's own rim falls away too, but into the open: there nothing darkens it.
    """
    total = np.zeros_like(height)
    for radius, strength in ((3.0, 0.4), (10.0, 0.5)):
        around = soft_blur(height, radius * scale)
        total += strength * np.clip((around - height) / (radius * scale), 0, 1)
    return plane(np.clip(total, 0, 0.6) * smoothstep(0.5 * scale, 9 * scale, outline))


def lit(albedo: Plane, height: Plane, outline: Plane, style: PlushStyle, scale: float) -> Plane:
    """The toy under a warm key light, a cool sky and a rim light; (h, w, 3) RGB 0..1.

    `height` and the signed distance `outline` are in pixels, `scale` is pixels per unit.
    """
    soft = {"fluff": 3.2, "pile": 1.6, "felt": 1.1, "jersey": 1.2}[style.fabric]
    slope = {"fluff": 0.7, "pile": 0.85, "felt": 1.0, "jersey": 0.9}[style.fabric]
    normal = normals(plane(soft_blur(height, soft * scale) * slope))
    wrap = {"fluff": 0.55, "pile": 0.32, "felt": 0.4, "jersey": 0.5}[style.fabric]
    exposure = {"fluff": 1.02, "pile": 1.1, "felt": 1.0, "jersey": 1.04}[style.fabric]
    key = exposure * np.clip((normal @ (KEY / np.linalg.norm(KEY)) + wrap) / (1 + wrap), 0, 1)
    sky = 0.5 - 0.5 * normal[..., 1]
    rim = np.clip(normal @ (RIM / np.linalg.norm(RIM)), 0, 1) ** 3 * (1 - normal[..., 2]) ** 1.5
    bounce = np.clip(normal[..., 1], 0, 1)
    dark = 1 - occlusion(height, outline, scale)
    shine = {"fluff": 0.22, "pile": 0.3, "felt": 0.1, "jersey": 0.16}[style.fabric]
    glint = shine * rim
    channels = []
    for shade, *tints in zip(cv2.split(albedo), _KEY_TINT, _SKY_TINT, _BOUNCE_TINT, strict=True):
        light = key * tints[0] + sky * tints[1] + bounce * tints[2]
        channels.append(np.clip(shade * light * dark + glint * (0.4 + 0.6 * shade), 0, 1.15))
    return plane(cv2.merge(channels))


def finished(picture: Bytes, style: PlushStyle) -> Bytes:
    """Vignette and a gentle contrast curve on an 8-bit picture."""
    height, width = picture.shape[:2]
    ys = (np.arange(height, dtype=np.float32)[:, None] / height - 0.5) * 2
    xs = (np.arange(width, dtype=np.float32)[None] / width - 0.5) * 2
    strength = 0.06 if style.fabric == "jersey" else 0.11
    edge = smoothstep(0.7, 2.0, plane(xs * xs + ys * ys))
    tone = np.linspace(0, 1, 256, dtype=np.float32)
    curve = (tone + 0.10 * tone * (1 - tone) * (2 * tone - 1)) * 255
    shade = (1 - strength * edge)[..., None]
    toned = curve.astype(np.float32)[picture] * shade + np.float32(0.5)
    return np.clip(toned, 0, 255).astype(np.uint8)
