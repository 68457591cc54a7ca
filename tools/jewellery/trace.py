"""What a ray sees: stones, metal, pearl, ground, studio.

One ray answers for all metals at once, since the paths are the same and only colours differ:
radiance has the shape (n, metals, 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import engraving
from .camera import Camera
from .field import CELLS, Field
from .gems import Stone, enter, glass, through
from .metals import colours, fresnel
from .solids import BRUSHED, ENGRAVED, PEARL, Solids
from .studio import IVORY, MAP, Light, Studio, facing_out
from .vectors import Array, Ints, dot, reflect, smoothstep, unit, vec

DEEPEST = 1
CEILING = 40.0


@dataclass
class Scene:
    """A piece posed before a camera in a studio."""

    solids: Solids
    stones: list[Stone]
    camera: Camera
    metals: tuple[str, ...]
    studio: Studio = IVORY
    letters: str = ""
    flat: bool = True
    tags: dict[str, str] = field(default_factory=dict)


class Tracer:
    """Follows rays through a scene. `small`: a quick picture with few bounces."""

    def __init__(self, scene: Scene, seed: int = 7, small: bool = False) -> None:
        self.scene, self.small = scene, small
        self.field = Field(scene.solids, CELLS // 8 if small else CELLS)
        clouds = [stone.samples() for stone in scene.stones]
        stones = np.concatenate(clouds, axis=1) if clouds else np.zeros((3, 0), np.float32)
        size = 256 if small else MAP
        self.light = Light(scene.studio, self.field, stones, seed, size)
        self.base = colours(scene.metals)
        self.grain = np.random.default_rng(seed).normal(size=8192).astype(np.float32)
        self.letters = engraving.relief(scene.letters) if scene.letters else None

    def trace(self, o: Array, d: Array, depth: int = 0) -> tuple[Array, Array]:
        """Radiance (n, metals, 3), and the distance to what was seen (inf for the studio)."""
        n = o.shape[1]
        t, stone, facet = self._stones(o, d, depth)
        floor = np.where(d[2] < -1e-5, (self.light.height - o[2]) / np.minimum(d[2], -1e-5), np.inf)
        floor = np.where(floor > 1e-3, floor, np.inf).astype(np.float32)
        metal, solid = self.field.march(o, d, np.minimum(t, floor))
        stone = np.where(metal < t, -1, stone)
        t = np.minimum(t, metal)
        out = np.empty((n, len(self.base), 3), np.float32)
        solid_hit = np.flatnonzero(np.isfinite(metal))
        ground = np.flatnonzero((floor < t) & ~np.isfinite(metal))
        sky = np.flatnonzero(~np.isfinite(t) & ~np.isfinite(floor))
        out[sky] = self.light.look(o[:, sky], d[:, sky])[:, None]
        if len(ground):
            out[ground] = self._ground(
                o[:, ground] + d[:, ground] * floor[ground], d[:, ground], depth
            )
        if len(solid_hit):
            p = o[:, solid_hit] + d[:, solid_hit] * metal[solid_hit]
            out[solid_hit] = self._solid(p, d[:, solid_hit], solid[solid_hit], depth)
        for which in np.unique(stone[(stone >= 0) & (t < floor)]):
            mine = np.flatnonzero((stone == which) & (t < floor))
            p = o[:, mine] + d[:, mine] * t[mine]
            out[mine] = self._stone(self.scene.stones[which], p, d[:, mine], facet[mine], depth)
        return np.minimum(out, CEILING), np.minimum(t, floor)

    def _stones(self, o: Array, d: Array, depth: int) -> tuple[Array, Ints, Ints]:
        t = np.full(o.shape[1], np.inf, np.float32)
        stone = np.full(o.shape[1], -1, np.int32)
        facet = np.zeros(o.shape[1], np.int32)
        for number, one in enumerate(self.scene.stones):
            at, which = enter(one, o, d)
            nearer = at < t
            t[nearer], stone[nearer], facet[nearer] = at[nearer], number, which[nearer]
        return t, stone, facet

    def _around(self, o: Array, d: Array, name: str = "sharp") -> Array:
        """The studio or the bare ground, (n, 3)."""
        out = self.light.look(o, d, name)
        down = np.flatnonzero(d[2] < -0.02)
        if len(down):
            t = np.minimum((self.light.height - o[2, down]) / d[2, down], 1e3)
            out[down] = self.light.ground(o[:, down] + d[:, down] * np.maximum(t, 0))
        return out

    def _ground(self, p: Array, d: Array, depth: int) -> Array:
        light = self.light.ground(p, shown=depth == 0)
        out = np.repeat(light[:, None], len(self.base), 1)
        if depth:
            return out
        way = d * np.array([[1], [1], [-1]], np.float32)
        enter_at, leave_at = self.field.clip(p, way)
        seen = np.flatnonzero(leave_at > enter_at)
        if len(seen):
            image, t = self.trace(p[:, seen] + way[:, seen] * 0.01, way[:, seen], 1)
            gloss = self.scene.studio.gloss
            share = gloss + (1 - gloss) * 0.5 * (1 - way[2, seen]) ** 5
            share = share * np.where(np.isfinite(t), np.exp(-t / (0.9 * self.light.radius)), 0)
            weight = share[:, None, None].astype(np.float32)
            out[seen] = out[seen] * (1 - weight) + image * weight
        return out

    def _solid(self, p: Array, d: Array, solid: Ints, depth: int) -> Array:
        n = facing_out(d, self.field.normals(p))
        material = self.field.solids.material[solid]
        out = np.empty((p.shape[1], len(self.base), 3), np.float32)
        pearl = np.flatnonzero(material == PEARL)
        if len(pearl):
            out[pearl] = self._pearl(p[:, pearl], d[:, pearl], n[:, pearl])[:, None]
        rough = np.flatnonzero((material == BRUSHED) | (material == ENGRAVED))
        if len(rough):
            n[:, rough] = self._worked(p[:, rough], n[:, rough], solid[rough], material[rough])
        metal = np.flatnonzero(material != PEARL)
        p, d, n, material = p[:, metal], d[:, metal], n[:, metal], material[metal]
        way = unit(reflect(d, n))
        start = p + n * 0.03
        if depth < DEEPEST:
            seen, t = self.trace(start, way, depth + 1)
            for finish, lobe in ((BRUSHED, "brushed"), (ENGRAVED, "satin")):
                soft = np.flatnonzero((material == finish) & ~np.isfinite(t))
                seen[soft] = self.light.look(start[:, soft], way[:, soft], lobe)[:, None]
        else:
            seen = np.repeat(self._around(start, way, "brushed")[:, None] * 0.7, len(self.base), 1)
        out[metal] = fresnel(-dot(d, n), self.base) * seen
        return out

    def _worked(self, p: Array, n: Array, solid: Ints, material: Ints) -> Array:
        """Normals of brushed and engraved metal."""
        local = self.field.solids.local(p, solid)
        frame = self.field.solids.frame[:, solid]
        out = n.copy()
        brushed = np.flatnonzero(material == BRUSHED)
        if len(brushed):
            line = local[2, brushed] * 26 + 4096
            turn = np.arctan2(local[1, brushed], local[0, brushed])
            line = line + 0.8 * np.sin(turn * 5 + local[2, brushed])
            floor = np.floor(line).astype(np.int32)
            blend = line - floor
            noise = self.grain[floor % 8192] * (1 - blend) + self.grain[(floor + 1) % 8192] * blend
            out[:, brushed] += frame[6:9, brushed] * noise * 0.055
        cut = np.flatnonzero(material == ENGRAVED)
        if len(cut) and self.letters is not None:
            slope = engraving.slope(
                self.letters,
                local[:, cut],
                self.field.solids.numbers[:, solid[cut]],
                self.field.solids.shape[solid[cut]],
            )
            for i, axis in enumerate(slope):
                out[:, cut] -= frame[3 * i : 3 * i + 3, cut] * axis
        return unit(out)

    def _pearl(self, p: Array, d: Array, n: Array) -> Array:
        soft = self.light.look(p, n, "diffuse")
        up = np.clip(n[2] * 0.5 + 0.5, 0, 1)[:, None]
        soft = soft * (0.35 + 0.65 * up) + vec(*self.scene.studio.ground) * 0.30 * (1 - up)
        facing = np.clip(-dot(d, n), 0, 1)
        blush = (1 - facing)[:, None] ** 2
        body = vec(0.93, 0.84, 0.74) * (1 - blush) + vec(0.90, 0.72, 0.72) * blush
        occluded = self._open(p, n)[:, None]
        way = unit(reflect(d, n))
        below = vec(*self.scene.studio.ground) * 0.7
        sky = smoothstep(-0.5, 0.3, way[2])[:, None]
        sheen = self.light.look(p, way, "satin") * sky + below * (1 - sky)
        sky = smoothstep(-0.25, 0.12, way[2])[:, None]
        gloss = self.light.look(p, way, "brushed") * sky + below * (1 - sky)
        share, _ = glass(facing, 1 / 1.55)
        orient = vec(0.95, 0.95, 1.0) * 0.16
        out: Array = occluded * (soft * body * 0.72 + sheen * orient + gloss * share[:, None] * 1.2)
        return out

    def _open(self, p: Array, n: Array) -> Array:
        """How open the sky is above points of a surface, from 0 to 1."""
        total = np.zeros(p.shape[1], np.float32)
        for step in (0.25, 0.6, 1.2):
            at = p + n * np.float32(step)
            cells = self.field.cells(at)
            d, _ = self.field.distance(at, cells, fillet=False)
            d = np.where(self.field.near[0, cells] < 0.8 * self.field.margin, d, step)
            total += np.clip(step - np.minimum(d, at[2] - self.light.height), 0, None) / step
        return np.clip(1 - 0.42 * total, 0.12, 1)

    def _stone(self, stone: Stone, p: Array, d: Array, facet: Ints, depth: int) -> Array:
        from .cuts import planes

        n = (stone.frame.T @ planes(stone.cut)[facet, :3].T).astype(np.float32)
        share, _ = glass(np.clip(-dot(d, n), 0, 1), 1 / 1.9)
        mirror = self._around(p, reflect(d, n))
        tiny = stone.cut == "small"
        quick = depth > 0 or self.small
        bounces = 4 if quick else 5 if tiny else 8
        channels = 1 if quick or tiny else 3
        if depth > 1:
            return np.repeat(mirror[:, None] * 0.8, len(self.base), 1)
        clear, tinted = through(stone, p, d, n, self._beyond, bounces, channels)
        body = clear[:, None] + tinted[:, None] * self.base[None]
        out: Array = mirror[:, None] * share[:, None, None] + body
        return out

    def _beyond(self, p: Array, d: Array, channel: int) -> tuple[Array, Array]:
        """What leaves a stone sees: the studio, and metal lit by it, (n) each."""
        light = self.light.look(p, d, "gem", channel)
        up = d.copy()
        up[2] = np.abs(up[2])
        metal = 0.5 * self.light.look(p, up, "brushed", channel)
        return light, metal
