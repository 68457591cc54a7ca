"""The distance field of all solids, and marching rays through it.

A grid of cells keeps, for each, the distance at its centre and the few solids nearest to it, so
that a point asks those solids only, however many there are.
"""

from __future__ import annotations

import numpy as np

from .solids import Frozen, Solids
from .vectors import Array, Ints, unit

NEAREST = 4
CELLS = 1_400_000
TOUCH = 0.003
STEPS = 140
FILLET = 0.025


class Field:
    """Solids in a grid. `low`, `high`: the corners of its box in millimetres."""

    def __init__(self, solids: Solids, cells: int = CELLS) -> None:
        self.solids: Frozen = solids.freeze()
        lows, highs = solids.extents()
        self.low, self.high = lows.min(axis=0) - 0.3, highs.max(axis=0) + 0.3
        size = self.high - self.low
        self.cell = float(max(np.cbrt(size.prod() / cells), 0.08))
        self.shape = np.maximum(np.ceil(size / self.cell).astype(int), 1)
        self.high = (self.low + self.shape * self.cell).astype(np.float32)
        self.last = (self.shape - 1).astype(np.int32)[:, None]
        self.strides = np.array([self.shape[1] * self.shape[2], self.shape[2]], np.int32)
        self.half = 0.87 * self.cell
        self.margin = 7 * self.cell
        self._fill(lows, highs)

    def _fill(self, lows: Array, highs: Array) -> None:
        near = np.full((NEAREST, *self.shape), self.margin, np.float32)
        which = np.zeros((NEAREST, *self.shape), np.int16)
        for solid in range(len(self.solids.shape)):
            start = np.floor((lows[solid] - self.margin - self.low) / self.cell).astype(int)
            stop = np.ceil((highs[solid] + self.margin - self.low) / self.cell).astype(int)
            start, stop = np.maximum(start, 0), np.minimum(stop, self.shape)
            spans = [
                self.low[i] + (np.arange(start[i], stop[i]) + 0.5) * self.cell for i in range(3)
            ]
            points = np.stack(np.meshgrid(*spans, indexing="ij")).astype(np.float32)
            flat = points.reshape(3, -1)
            ids = np.full(flat.shape[1], solid, np.int32)
            new = self.solids.distances(flat, ids).reshape(points.shape[1:])
            tag = np.full(new.shape, solid, np.int16)
            box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
            for rank in range(NEAREST):
                held, held_tag = near[rank][box], which[rank][box]
                closer = new < held
                near[rank][box], new = np.where(closer, new, held), np.where(closer, held, new)
                which[rank][box], tag = (
                    np.where(closer, tag, held_tag),
                    np.where(closer, held_tag, tag),
                )
        self.near = near.reshape(NEAREST, -1)
        self.which = which.reshape(NEAREST, -1)

    def cells(self, points: Array) -> Ints:
        at = ((points - self.low[:, None]) * np.float32(1 / self.cell)).astype(np.int32)
        np.clip(at, 0, self.last, out=at)
        out: Ints = (at[0] * self.strides[0] + at[1] * self.strides[1]) + at[2]
        return out

    def distance(self, points: Array, cells: Ints, fillet: bool) -> tuple[Array, Ints]:
        """The exact distance and the nearest solid, with a small fillet where solids meet."""
        base = self.near[0, cells]
        which = self.which[0, cells].astype(np.int32)
        best = self.solids.distances(points, which)
        total = np.ones_like(best) if fillet else best
        for rank in range(1, NEAREST):
            also = np.flatnonzero(self.near[rank, cells] < base + 2.2 * self.half)
            if not len(also):
                break
            ids = self.which[rank, cells[also]].astype(np.int32)
            d = self.solids.distances(points[:, also], ids)
            old = best[also]
            new = np.minimum(old, d)
            if fillet:
                grown = total[also] * np.exp((new - old) / FILLET) + np.exp((new - d) / FILLET)
                total[also] = grown
            best[also] = new
            which[also] = np.where(d < old, ids, which[also])
        return best - FILLET * np.log(total) if fillet else best, which

    def clip(self, o: Array, d: Array) -> tuple[Array, Array]:
        """Where rays enter and leave the box; leave < enter where they miss it."""
        safe = np.where(np.abs(d) < 1e-9, 1e-9, d)
        a, b = (self.low[:, None] - o) / safe, (self.high[:, None] - o) / safe
        enter = np.minimum(a, b).max(axis=0)
        leave = np.maximum(a, b).min(axis=0)
        return np.maximum(enter, 0), leave

    def march(self, o: Array, d: Array, far: Array) -> tuple[Array, Ints]:
        """The distance along each ray to the first solid (inf if none), and which."""
        hit = np.full(o.shape[1], np.inf, np.float32)
        solid = np.zeros(o.shape[1], np.int32)
        enter, leave = self.clip(o, d)
        leave = np.minimum(leave, far)
        ray = np.flatnonzero(leave > enter)
        t, stop = enter[ray], leave[ray]
        start, way = o[:, ray], d[:, ray]
        for _ in range(STEPS):
            if not len(ray):
                break
            p = start + way * t
            cells = self.cells(p)
            step = self.near[0, cells] - self.half
            close = np.flatnonzero(step < self.half)
            if len(close):
                exact, which = self.distance(p.take(close, axis=1), cells[close], fillet=False)
                step[close] = np.minimum(exact * 0.96, self.margin)
                now = np.flatnonzero((exact < TOUCH) & (stop[close] > 0))
                at = close[now]
                hit[ray[at]] = t[at] + np.minimum(exact[now] * 1.1, 0)
                solid[ray[at]] = which[now]
                stop[at] = -1
            t = t + np.maximum(step, TOUCH)
            keep = np.flatnonzero(t < stop)
            if len(keep) < 0.8 * len(ray):
                ray, t, stop = ray[keep], t[keep], stop[keep]
                start, way = start.take(keep, axis=1), way.take(keep, axis=1)
        return hit, solid

    def normals(self, points: Array) -> Array:
        e = np.float32(0.004)
        out = np.zeros_like(points)
        cells = self.cells(points)
        for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            way = np.array(corner, np.float32)[:, None]
            out += way * self.distance(points + way * e, cells, fillet=True)[0]
        return unit(out)

    def inside(self) -> Array:
        """Centres of the cells that lie in a solid, (3, n)."""
        cells = np.flatnonzero(self.near[0] < 0.25 * self.cell)
        z = cells % self.shape[2]
        y = cells // self.shape[2] % self.shape[1]
        x = cells // (self.shape[2] * self.shape[1])
        at = np.stack([x, y, z]).astype(np.float32)
        return (self.low[:, None] + (at + 0.5) * self.cell).astype(np.float32)

    def bottom(self) -> float:
        """The height of the lowest point of metal."""
        cells = np.flatnonzero(self.near[0] < 0)
        z = self.low[2] + (cells % self.shape[2] + 0.5) * self.cell
        return float((z + self.near[0, cells]).min())
