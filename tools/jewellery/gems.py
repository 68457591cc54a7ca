"""Stones: rays through facets, with total internal reflection, dispersion and absorption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import cuts
from .vectors import Array, Ints, dot, vec

CHUNK = 12_000


@dataclass(frozen=True)
class Gem:
    """Refractive indices for red, green, blue, and absorption for each stone radius of path."""

    index: tuple[float, float, float]
    absorbs: tuple[float, float, float]


GEMS = {
    "diamond": Gem((2.395, 2.417, 2.462), (0.004, 0.004, 0.006)),
    "sapphire": Gem((1.758, 1.768, 1.785), (1.55, 0.80, 0.10)),
    "emerald": Gem((1.572, 1.582, 1.594), (1.25, 0.12, 0.62)),
    "ruby": Gem((1.758, 1.768, 1.785), (0.06, 1.55, 1.05)),
    "morganite": Gem((1.578, 1.586, 1.596), (0.015, 0.20, 0.15)),
}


@dataclass(frozen=True)
class Stone:
    """A cut stone: half width in millimetres, centre of the girdle, frame (rows are axes)."""

    cut: str
    gem: str
    radius: float
    at: Array
    frame: Array

    def reach(self) -> float:
        """The radius of a ball about the girdle's centre that holds the stone."""
        return self.radius * {"pear": 1.95}.get(self.cut, max(cuts.half_length(self.cut), 1) * 1.24)

    def samples(self) -> Array:
        """A cloud of points in the stone, (3, n), for its shadow."""
        line = np.linspace(-1, 1, 13)
        p = np.stack(np.meshgrid(line * 1.9, line, line, indexing="ij")).reshape(3, -1)
        facets = cuts.planes(self.cut)
        p = p[:, ((facets[:, :3] @ p) <= facets[:, 3:]).all(axis=0)]
        out: Array = self.frame.T @ (p * self.radius).astype(np.float32) + self.at[:, None]
        return out


def _local(stone: Stone, o: Array, d: Array) -> tuple[Array, Array]:
    """Rays in the stone's frame, its half width 1."""
    start = stone.frame @ (o - stone.at[:, None]) / np.float32(stone.radius)
    return start.astype(np.float32), (stone.frame @ d).astype(np.float32)


def enter(stone: Stone, o: Array, d: Array) -> tuple[Array, Ints]:
    """The distance in millimetres at which rays enter a stone (inf if never), and the facet."""
    t = np.full(o.shape[1], np.inf, np.float32)
    facet = np.zeros(o.shape[1], np.int32)
    away = stone.at[:, None] - o
    along = dot(away, d)
    off = dot(away, away) - along * along
    rays = np.flatnonzero((off < stone.reach() ** 2) & (along > -stone.reach()))
    planes = cuts.planes(stone.cut)
    for begin in range(0, len(rays), CHUNK):
        some = rays[begin : begin + CHUNK]
        start, way = _local(stone, o[:, some], d[:, some])
        toward = planes[:, :3] @ way
        gap = planes[:, 3:] - planes[:, :3] @ start
        at = gap / np.where(np.abs(toward) < 1e-7, 1e-7, toward)
        first = np.where(toward < 0, at, -np.inf)
        last = np.where(toward > 0, at, np.inf).min(axis=0)
        which = first.argmax(axis=0)
        here = first[which, np.arange(len(some))]
        inside = (here < last) & (here > 1e-4)
        t[some[inside]] = here[inside] * stone.radius
        facet[some[inside]] = which[inside]
    return t, facet


def glass(facing: Array, ratio: float) -> tuple[Array, Array]:
    """Fresnel's reflectance of unpolarised light and the cosine beyond the face.

    `ratio`: index here over index beyond. Reflectance 1 where the light cannot leave.
    """
    sine = ratio * ratio * (1 - facing * facing)
    beyond = np.sqrt(np.maximum(1 - sine, 0))
    across = (ratio * facing - beyond) / (ratio * facing + beyond + 1e-9)
    along = (facing - ratio * beyond) / (facing + ratio * beyond + 1e-9)
    share = 0.5 * (across * across + along * along)
    return np.where(sine >= 1, 1, share).astype(np.float32), beyond


Look = Callable[[Array, Array, int], tuple[Array, Array]]


def through(
    stone: Stone, o: Array, d: Array, normal: Array, look: Look, bounces: int, channels: int
) -> tuple[Array, Array]:
    """Light that comes out of the stone along -d: two arrays (n, 3).

    The first is light of the studio, the second light that the metal beneath has coloured.
    `o`, `d`: where rays enter, in world space. `look(points, ways, channel)` answers for rays
    that leave. `channels`: 3 traces each colour by its own index, 1 all by the middle one.
    """
    n = o.shape[1]
    clear, tinted = np.zeros((n, 3), np.float32), np.zeros((n, 3), np.float32)
    for begin in range(0, n, CHUNK):
        part = slice(begin, begin + CHUNK)
        for channel in range(channels):
            a, b = _colour(stone, o[:, part], d[:, part], normal[:, part], look, bounces, channel)
            clear[part, channel], tinted[part, channel] = a, b
    if channels == 1:
        gem = vec(*GEMS[stone.gem].absorbs)
        tone = np.exp(-(gem - gem[0]) * 2.0)
        clear, tinted = clear[:, :1] * tone, tinted[:, :1] * tone
    return clear, tinted


def _colour(
    stone: Stone, o: Array, d: Array, normal: Array, look: Look, bounces: int, channel: int
) -> tuple[Array, Array]:
    gem = GEMS[stone.gem]
    index, absorbs = gem.index[channel], np.float32(gem.absorbs[channel])
    planes = cuts.planes(stone.cut)
    facets, offsets = np.ascontiguousarray(planes[:, :3]), planes[:, 3:]
    p, way = _local(stone, o, d)
    n = (stone.frame @ normal).astype(np.float32)
    facing = np.clip(-dot(way, n), 0, 1)
    share, beyond = glass(facing, 1 / index)
    way = (way / index + n * (facing / index - beyond)).astype(np.float32)
    power = (1 - share).astype(np.float32)
    clear, tinted = np.zeros(p.shape[1], np.float32), np.zeros(p.shape[1], np.float32)
    ray = np.arange(p.shape[1])
    for bounce in range(bounces):
        toward = facets @ way
        gap = offsets - facets @ p
        at = np.where(toward > 1e-5, gap / np.maximum(toward, 1e-5), np.float32(1e9))
        t = np.maximum(at.min(axis=0), 0)
        n = facets[at.argmin(axis=0)].T
        p = p + way * t
        power = power * np.exp(-absorbs * t)
        facing = np.clip(dot(way, n), 0, 1)
        share, beyond = glass(facing, index)
        if bounce == bounces - 1:
            share = np.minimum(share, 0.35)
        out = np.flatnonzero((1 - share) * power > 0.006)
        if len(out):
            w, m = way[:, out], n[:, out]
            leave = w * index + m * (beyond[out] - facing[out] * index)
            leave = leave / np.maximum(np.sqrt(dot(leave, leave)), 1e-6)
            spot = stone.frame.T @ (p[:, out] * np.float32(stone.radius)) + stone.at[:, None]
            under = leave[2] < 0.05
            light, metal = look(spot.astype(np.float32), stone.frame.T @ leave, channel)
            weight = ((1 - share) * power)[out]
            clear[ray[out]] += weight * np.where(under, 0.35 * light, light)
            tinted[ray[out]] += weight * np.where(under, metal, 0)
        power = power * share
        way = way - 2 * dot(way, n) * n
        keep = np.flatnonzero(power > 0.02)
        if not len(keep):
            break
        p, way = p.take(keep, axis=1), way.take(keep, axis=1)
        power, ray = power[keep], ray[keep]
    return clear, tinted
