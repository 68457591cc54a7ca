"""The sewing pattern: what is to be sewn, before any cloth is chosen."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from markethall.content.imaging.plush.arrays import Labels, Plane


@dataclass(frozen=True)
class Part:
    """One stuffed piece. All grids are (h, w) in pattern units.

    `distance` is signed, positive inside. `patches` numbers rows of the pattern's colours:
    one number for a piece of one cloth. `puff` scales its thickness, `lift` raises it over
    the parts below. `photo` is the smoothed photo (Lab, h x w x 3) that may tint it.
    """

    distance: Plane
    patches: int | Labels
    puff: float = 1.0
    lift: float = 0.0
    photo: Plane | None = None


@dataclass(frozen=True)
class ToyFace:
    """Where a face is sewn on: centre, and `radius` of the face, units.

    `gap` is half the distance between the eyes relative to the radius; `iris` is Lab, or
    None for plain dark eyes. `kind` decides nose and mouth.
    """

    x: float
    y: float
    radius: float
    gap: float = 0.42
    kind: Literal["smile", "cat", "person"] = "smile"
    iris: Plane | None = None
    nose: Plane | None = None
    eye_scale: float = 1.0


@dataclass(frozen=True)
class ToyPattern:
    """Everything the workshop needs: (h, w), colours (k, 3) Lab, parts from back to front."""

    height: int
    width: int
    colours: Plane
    parts: list[Part]
    face: ToyFace | None = None

    def outline(self) -> Plane:
        """Signed distance to the whole toy's outline."""
        merged: Plane = np.maximum.reduce([part.distance for part in self.parts])
        return merged

    def cropped(self, margin: int, grid: int) -> tuple["ToyPattern", int, int]:
        """Only the toy with `margin` around it, and the crop's top and left.

        All bounds are multiples of `grid` units.
        """
        inside = self.outline() > 0
        ys, xs = np.nonzero(inside.any(axis=1))[0], np.nonzero(inside.any(axis=0))[0]
        top = max(0, int(ys[0]) - margin) // grid * grid
        left = max(0, int(xs[0]) - margin) // grid * grid
        bottom = top + (min(self.height, int(ys[-1]) + margin) - top) // grid * grid
        right = left + (min(self.width, int(xs[-1]) + margin) - left) // grid * grid
        area = (slice(top, bottom), slice(left, right))
        parts = [
            replace(
                part,
                distance=part.distance[area],
                patches=part.patches if isinstance(part.patches, int) else part.patches[area],
                photo=None if part.photo is None else part.photo[area],
            )
            for part in self.parts
        ]
        face = self.face and replace(self.face, x=self.face.x - left, y=self.face.y - top)
        smaller = ToyPattern(bottom - top, right - left, self.colours, parts, face)
        return smaller, top, left


def frame(aspect: float, side: int) -> tuple[int, int]:
    """Height and width of a portrait frame for a toy of `aspect` (height / width)."""
    if aspect > 1.28:
        return side, round(side * 0.8)
    if aspect < 0.78:
        return round(side * 0.8), side
    return side, side
