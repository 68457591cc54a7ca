"""The studio: soft boxes, strips and dark cards around the piece, and the ground below it.

Light comes from a map over the sphere, folded onto a square (octahedral), so that a look-up costs
no trigonometry. Blurred copies serve brushed metal and pearls. The map is taken at a finite
distance, so flat faces reflect a gradient as they do between real soft boxes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from .field import Field
from .vectors import Array, dot, smoothstep, unit, vec

MAP = 1024
BLURRED = 64
LOBES = {"brushed": 90.0, "satin": 22.0, "diffuse": 1.0}


@dataclass(frozen=True)
class Panel:
    """A soft box: where it stands (degrees), its half size as tangents, softness, brightness."""

    azimuth: float
    height: float
    wide: float
    tall: float
    power: float
    soft: float = 0.25
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fade: float = 0.35
    turned: float = 0.0


@dataclass(frozen=True)
class Studio:
    """Panels (a negative power darkens: a black card), walls, and the ground.

    `ground` lights the piece; `shown` is the tone (linear, of a screen) the camera sees of it.
    `card`: the brightness of a white card that lies before the piece, out of the picture.
    """

    panels: tuple[Panel, ...]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    ground: tuple[float, float, float]
    shown: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gloss: float = 0.04
    shade: float = 0.75
    spots: int = 0
    card: float = 0.0


IVORY = Studio(
    panels=(
        Panel(-35, 68, 0.75, 0.5, 3.4, 0.3),
        Panel(-82, 22, 0.42, 0.85, 3.2, 0.25, (1.0, 0.985, 0.96)),
        Panel(74, 26, 0.26, 0.9, 2.7, 0.2, (0.97, 0.985, 1.0)),
        Panel(165, 38, 0.6, 0.35, 2.4, 0.3),
        Panel(8, 34, 0.30, 0.20, 1.6, 0.35),
        Panel(-42, 14, 0.16, 0.9, -0.92, 0.3),
        Panel(38, 16, 0.24, 1.0, -0.92, 0.35),
        Panel(115, 25, 0.22, 1.2, -0.85, 0.3),
        Panel(-128, 25, 0.25, 1.2, -0.85, 0.3),
        Panel(0, 4, 0.5, 0.16, -0.75, 0.35),
    ),
    low=(0.25, 0.24, 0.225),
    high=(0.22, 0.22, 0.22),
    ground=(0.80, 0.765, 0.70),
    shown=(0.905, 0.868, 0.80),
    gloss=0.05,
    shade=1.0,
    spots=34,
)
# With a soft box above and behind, for flat faces that look up: signets, discs.
ENGRAVERS = replace(IVORY, panels=(*IVORY.panels, Panel(172, 64, 0.5, 0.4, 0.55, 0.6, fade=0.9)))
NIGHT = Studio(
    panels=(
        Panel(-40, 66, 0.6, 0.36, 4.4, 0.25),
        Panel(-80, 20, 0.34, 0.95, 4.6, 0.25, (1.0, 0.97, 0.92)),
        Panel(76, 24, 0.20, 1.0, 4.4, 0.2, (0.93, 0.97, 1.0)),
        Panel(168, 34, 0.6, 0.22, 3.6, 0.25),
        Panel(18, 42, 0.26, 0.16, 2.0, 0.4),
        Panel(-30, 10, 0.10, 0.5, 2.2, 0.4),
        Panel(34, 8, 0.07, 0.5, 1.8, 0.4),
    ),
    low=(0.050, 0.047, 0.046),
    high=(0.07, 0.07, 0.075),
    ground=(0.055, 0.052, 0.05),
    shown=(0.0052, 0.0048, 0.0050),
    gloss=0.12,
    shade=0.6,
    spots=40,
    card=0.6,
)

EXPOSURE = 0.80
CURVE = (2.51, 0.03, 2.43, 0.59, 0.14)


def film(light: Array) -> Array:
    """Film-like tones: linear light of the scene to linear light of a screen, 0 to 1."""
    a, b, c, d, e = CURVE
    x = np.maximum(light * EXPOSURE, 0)
    out: Array = np.clip(x * (a * x + b) / (x * (c * x + d) + e), 0, 1)
    return out


def exposed(tone: Array) -> Array:
    """The light that film shows as a tone."""
    a, b, c, d, e = CURVE
    y = np.clip(tone, 1e-5, 0.985)
    half = b - y * d
    out: Array = (np.sqrt(half * half + 4 * (a - y * c) * y * e) - half) / (2 * (a - y * c))
    return out / EXPOSURE


def _way(azimuth: float, height: float) -> Array:
    """Azimuth 0 is behind the camera, 90 to its right, 180 behind the piece."""
    a, h = np.radians(azimuth), np.radians(height)
    return vec(np.sin(a) * np.cos(h), -np.cos(a) * np.cos(h), np.sin(h))


def _fold(d: Array) -> tuple[Array, Array]:
    """Unit square coordinates of directions."""
    scale = 1 / (np.abs(d[0]) + np.abs(d[1]) + np.abs(d[2]))
    u, v = d[0] * scale, d[1] * scale
    under = d[2] < 0
    a = np.where(under, (1 - np.abs(v)) * np.where(u < 0, -1, 1), u)
    b = np.where(under, (1 - np.abs(u)) * np.where(v < 0, -1, 1), v)
    return a * 0.5 + 0.5, b * 0.5 + 0.5


def _unfold(size: int) -> Array:
    """The direction of each cell of a folded map, (3, size * size)."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    v, u = np.meshgrid(line, line, indexing="ij")
    z = 1 - np.abs(u) - np.abs(v)
    under = z < 0
    x = np.where(under, (1 - np.abs(v)) * np.where(u < 0, -1, 1), u)
    y = np.where(under, (1 - np.abs(u)) * np.where(v < 0, -1, 1), v)
    return unit(np.stack([x, y, z]).reshape(3, -1).astype(np.float32))


def _mask(panel: Panel, d: Array) -> Array:
    z = _way(panel.azimuth, panel.height)
    x = unit(np.cross(vec(0, 0, 1), z)) if abs(z[2]) < 0.99 else vec(1, 0, 0)
    y = np.cross(z, x)
    c, s = np.cos(np.radians(panel.turned)), np.sin(np.radians(panel.turned))
    x, y = c * x + s * y, c * y - s * x
    facing = z @ d
    u = np.abs(x @ d) / np.maximum(facing, 1e-3) / panel.wide
    v = (y @ d) / np.maximum(facing, 1e-3) / panel.tall
    edge = (1 - smoothstep(1 - panel.soft, 1 + panel.soft, u)) * (
        1 - smoothstep(1 - panel.soft, 1 + panel.soft, np.abs(v))
    )
    glow = 1 - panel.fade * 0.5 * (u * u + (1 - v) * 0.5)
    out: Array = np.where(facing > 0, edge * (glow if panel.power > 0 else 1), 0)
    return out


def _radiance(studio: Studio, d: Array) -> Array:
    """Light from each direction, (3, n)."""
    lift = smoothstep(-0.1, 1.0, d[2])
    low, high = vec(*studio.low)[:, None], vec(*studio.high)[:, None]
    light = low * (1 - lift) + high * lift
    for panel in studio.panels:
        mask = _mask(panel, d)
        if panel.power < 0:
            light = light * (1 + panel.power * mask)
        else:
            light = light + panel.power * mask * vec(*panel.tint)[:, None]
    return light.astype(np.float32)


def _sparkle(studio: Studio, d: Array, light: Array, seed: int) -> Array:
    """What stones see: the same boxes over darker walls, with small bright lamps for fire."""
    turn = np.arctan2(d[0], d[1]) + 0.35
    rays = smoothstep(-0.25, 0.25, np.sin(6 * turn) + 0.6 * np.sin(11 * d[2] + 2 * turn))
    out = np.maximum(light * 0.95 - 0.26, 0.015) * (0.12 + 0.88 * rays)
    draw = np.random.default_rng(seed)
    for _ in range(studio.spots):
        way = _way(draw.uniform(-180, 180), draw.uniform(12, 85))
        edge = np.cos(np.radians(draw.uniform(2.0, 5.5)))
        power = draw.uniform(4, 13)
        out = out + power * smoothstep(edge - 0.0012, edge + 0.0012, way @ d)
    head = _way(0, 30) @ d
    return (out * (1 - 0.85 * smoothstep(0.93, 0.985, head))).astype(np.float32)


def _blurred(light: Array, ways: Array, power: float, size: int = BLURRED) -> Array:
    """A map blurred with a lobe cos^power."""
    targets = _unfold(size)
    out = np.empty((3, targets.shape[1]), np.float32)
    for start in range(0, targets.shape[1], 1024):
        facing = np.maximum(targets[:, start : start + 1024].T @ ways, 1e-9)
        lobe = np.exp(np.float32(power) * np.log(facing))
        out[:, start : start + 1024] = (lobe @ light.T / lobe.sum(axis=1)[:, None]).T
    return out


def _map(light: Array, size: int) -> Array:
    return np.ascontiguousarray(light.reshape(3, size, size).transpose(1, 2, 0))


@cache
def _maps(studio: Studio, seed: int, size: int) -> dict[str, Array]:
    """What polished metal, stones, and rougher surfaces see of a studio."""
    ways = _unfold(size)
    light = _radiance(studio, ways)
    out = {"sharp": _map(light, size), "gem": _map(_sparkle(studio, ways, light, seed), size)}
    small = _unfold(BLURRED)
    coarse = _radiance(studio, small)
    for name, power in LOBES.items():
        out[name] = _map(_blurred(coarse, small, power), BLURRED)
    for name in ("gem", "brushed"):
        for channel in range(3):
            out[f"{name} {channel}"] = np.ascontiguousarray(out[name][..., channel])
    return out


class Light:
    """A studio made ready for a scene: maps, and the shadow on its ground."""

    def __init__(
        self, studio: Studio, field: Field, stones: Array, seed: int = 7, size: int = MAP
    ) -> None:
        self.studio = studio
        self.maps = _maps(studio, seed, size)
        self.centre = ((field.low + field.high) / 2).astype(np.float32)
        self.radius = float(np.linalg.norm(field.high - field.low) / 2)
        self.height = field.bottom()
        self._cast(field, stones, seed)

    def look(self, o: Array, d: Array, name: str = "sharp", channel: int | None = None) -> Array:
        """Light from direction d at o: (n, 3), or (n) for one channel."""
        way = d + (o - self.centre[:, None]) * np.float32(0.22 / self.radius)
        u, v = _fold(way)
        table = self.maps[name if channel is None else f"{name} {channel}"]
        size = table.shape[0]
        x, y = (u * size - 0.5).astype(np.float32), (v * size - 0.5).astype(np.float32)
        parts = [
            cv2.remap(
                table,
                x[i : i + 16384, None],
                y[i : i + 16384, None],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for i in range(0, len(x), 16384)
        ]
        if not parts:
            return np.zeros((0, 3) if channel is None else (0,), np.float32)
        out: Array = np.concatenate(parts)[:, 0]
        return out

    def _cast(self, field: Field, stones: Array, seed: int, size: int = 384) -> None:
        """The share of light that reaches each point of the ground, as a square map."""
        solid = field.inside()
        points = np.concatenate([solid, stones], axis=1)
        points = points - np.array([[0], [0], [self.height]], np.float32)
        self.reach = self.radius * 2.4
        draw = np.random.default_rng(seed)
        z = np.sqrt(draw.uniform(0.03, 1, 6000)).astype(np.float32)
        turn = draw.uniform(0, 2 * np.pi, 6000)
        flat = np.sqrt(1 - z * z)
        ways = np.stack([flat * np.cos(turn), flat * np.sin(turn), z]).astype(np.float32)
        weight = self.look(np.repeat(self.centre[:, None], 6000, 1), ways).mean(axis=1)
        chosen = draw.choice(6000, 320, p=weight / weight.sum())
        total = np.zeros((size, size), np.float32)
        grow = max(1, round(field.cell * size / (2 * self.reach)))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
        for way in ways[:, chosen].T:
            x = points[0] - points[2] * (way[0] / way[2]) - self.centre[0]
            y = points[1] - points[2] * (way[1] / way[2]) - self.centre[1]
            column = ((x / self.reach * 0.5 + 0.5) * size).astype(np.int32)
            row = ((y / self.reach * 0.5 + 0.5) * size).astype(np.int32)
            on = (column >= 0) & (row >= 0) & (column < size) & (row < size)
            hit = np.zeros((size, size), np.uint8)
            hit[row[on], column[on]] = 1
            total += cv2.dilate(hit, kernel)
        near = cv2.GaussianBlur(total / len(chosen), (0, 0), 1.2)
        wide = cv2.GaussianBlur(near, (0, 0), 6)
        crisp = smoothstep(0.12, 0.4, wide)
        self.shadow = np.ascontiguousarray(near * crisp + wide * (1 - crisp))

    def ground(self, p: Array, shown: bool = False) -> Array:
        """The ground's own light at points of it, (n, 3); as the camera sees it, or the piece."""
        size = self.shadow.shape[0]
        x = (((p[0] - self.centre[0]) / self.reach * 0.5 + 0.5) * size - 0.5).astype(np.float32)
        y = (((p[1] - self.centre[1]) / self.reach * 0.5 + 0.5) * size - 0.5).astype(np.float32)
        rows = [
            cv2.remap(
                self.shadow,
                x[i : i + 16384, None],
                y[i : i + 16384, None],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=0,
            )
            for i in range(0, len(x), 16384)
        ]
        if not rows:
            return np.zeros((0, 3), np.float32)
        share = np.concatenate(rows)[:, 0] * self.studio.shade
        tint = np.clip(1 - np.stack([share, share * 1.03, share * 1.07], axis=1), 0.02, 1)
        away = np.hypot(p[0] - self.centre[0], p[1] - self.centre[1]) / self.radius
        if not shown:
            front = np.hypot(p[0] - self.centre[0], p[1] - self.centre[1] - 0.5 * self.radius)
            pool = 1 - 0.80 * smoothstep(0.5, 3.2, front / self.radius)[:, None]
            before = np.abs((self.centre[1] - p[1]) / self.radius - 0.45)
            card = self.studio.card * (1 - smoothstep(0.05, 0.45, before))[:, None]
            return (vec(*self.studio.ground) * pool + card) * tint
        dim = 1 - 0.10 * smoothstep(1.0, 5.0, away)[:, None]
        return exposed(vec(*self.studio.shown) * dim * tint).astype(np.float32)


def facing_out(d: Array, n: Array) -> Array:
    """The normal, turned against the ray."""
    out: Array = np.where(dot(d, n) > 0, -n, n)
    return out
