"""Patterns drawn by hand for what has a known face: a cat and a doll of a person.

Only the shapes are fixed; every colour and the doll's clothes come from the photo. Shapes
are drawn on a sheet of 307 x 384 units.
"""

import itertools
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush import shape
from markethall.content.imaging.plush.arrays import Bytes, Labels, Plane, plane, to_lab, unit
from markethall.content.imaging.plush.landmarks import Face
from markethall.content.imaging.plush.palette import cluster, dye, fabric_patches
from markethall.content.imaging.plush.pattern import Part, ToyFace, ToyPattern
from markethall.content.imaging.plush.styles import PATTERN_SIDE, PlushStyle

WIDTH = 307
MIDDLE = 153.5
SKETCH_FILL = 0.86
"""Share of the sheet's height that the sketches take when drawn at full size."""
HEAD_SIZE = {"fluff": 1.06, "pile": 0.9, "felt": 1.0, "jersey": 0.94}
GREEN_EYES = plane([56.0, -14.0, 38.0])


@dataclass
class Sheet:
    """Collects cloth and parts; draws in sketch units, scaled to the style's size."""

    style: PlushStyle
    size: tuple[int, int] = (PATTERN_SIDE, WIDTH)
    colours: list[Plane] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def cloth(self, lab: Plane) -> int:
        """The number of a new cloth of the photo's colour `lab`."""
        self.colours.append(dye(plane(lab), self.style))
        return len(self.colours) - 1

    @property
    def factor(self) -> float:
        return min(1.0, (self.style.fill + 0.05) / SKETCH_FILL)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A sketched point on the sheet."""
        f = self.factor
        return MIDDLE + (x - MIDDLE) * f, 199 + (y - 211) * f

    def ball(
        self, x: float, y: float, rx: float, ry: float, turn: float = 0.0, power: float = 2.0
    ) -> Plane:
        radii = (rx * self.factor, ry * self.factor)
        return shape.ellipse(self.size, self.at(x, y), radii, turn=turn, power=power)

    def tube(self, points: list[tuple[float, float]], radius: float) -> Plane:
        pieces = [
            shape.capsule(self.size, self.at(*a), self.at(*b), radius * self.factor)
            for a, b in itertools.pairwise(points)
        ]
        return plane(np.maximum.reduce(pieces))

    def ear(self, x: float, y: float, tip: tuple[float, float], half: float) -> Plane:
        return shape.ear(self.size, self.at(x, y), self.at(*tip), half * self.factor)

    def add(
        self, distance: Plane, patches: int | Labels, puff: float = 1.0, lift: float = 0.0
    ) -> None:
        self.parts.append(Part(distance, patches, puff * self.style.puff, lift))

    def pattern(self, face: ToyFace) -> ToyPattern:
        return ToyPattern(*self.size, plane(self.colours), self.parts, face)


def _region(rgb: Bytes, face: Face, box: tuple[float, float, float, float]) -> Plane:
    """Lab pixels (n, 3) of a box given in face radii from the face's centre (l, t, r, b)."""
    height, width = rgb.shape[:2]
    left = int(np.clip((face.x + box[0] * face.rx) * width, 0, width - 2))
    right = int(np.clip((face.x + box[2] * face.rx) * width, left + 1, width))
    top = int(np.clip((face.y + box[1] * face.ry) * height, 0, height - 2))
    bottom = int(np.clip((face.y + box[3] * face.ry) * height, top + 1, height))
    return to_lab(unit(rgb[top:bottom, left:right])).reshape(-1, 3)


@dataclass(frozen=True)
class Coat:
    """A cat's colours, Lab."""

    main: Plane
    dark: Plane
    pale: Plane
    striped: bool
    iris: Plane


def _coat(rgb: Bytes, face: Face) -> Coat:
    """The coat's colours around a cat's face."""
    fur = _region(rgb, face, (-0.85, -0.8, 0.85, 0.85))
    groups, _ = cluster(fur * plane([1.0, 1.3, 1.3]), 5)
    found = []
    for index in np.unique(groups):
        own = fur[groups == index]
        share = len(own) / len(fur)
        if share > 0.06:
            found.append((float(np.median(own[:, 0])), share, plane(np.median(own, axis=0))))
    found.sort(key=lambda entry: entry[0])
    main = max(found, key=lambda entry: entry[1])
    middle = [e for e in found if e is not found[0] and e is not found[-1]] or [main]
    main = max(middle, key=lambda entry: entry[1])
    pale, dark = found[-1][2].copy(), found[0][2].copy()
    pale = plane(pale * [1.0, 0.5, 0.55])
    pale[0] = max(float(pale[0]), min(93.0, float(main[2][0]) + 22))
    striped = main[0] - found[0][0] > 9 and 0.06 < found[0][1] < 0.55
    eyes = _region(rgb, face, (-0.75, -0.5, 0.75, 0.15))
    vivid = eyes[(eyes[:, 2] - eyes[:, 1] > 22) & (eyes[:, 0] > 25) & (eyes[:, 1] < 4)]
    iris = plane(np.median(vivid, axis=0)) if len(vivid) > 0.012 * len(eyes) else GREEN_EYES
    return Coat(main[2], dark, pale, striped, plane(iris * [1.1, 1.25, 1.25]))


def cat_toy(rgb: Bytes, face: Face, style: PlushStyle) -> ToyPattern:
    """A sitting cat in the coat of the cat whose face was found in `rgb` (h, w, 3)."""
    coat = _coat(rgb, face)
    sheet = Sheet(style)
    main, pale = sheet.cloth(coat.main), sheet.cloth(coat.pale)
    dark = sheet.cloth(coat.dark) if coat.striped else main
    pink = sheet.cloth(plane([68.0, 24.0, 14.0]))
    k = HEAD_SIZE[style.fabric]
    _cat_body(sheet, main, pale, dark)
    for side in (-1, 1):
        x = MIDDLE + side * 62 * k
        outer = sheet.ear(x, 158 - 62 * k, (MIDDLE + side * 92 * k, 158 - 128 * k), 37 * k)
        inner = sheet.ear(x, 158 - 66 * k, (MIDDLE + side * 87 * k, 158 - 112 * k), 22 * k)
        sheet.add(outer, main, 0.7)
        sheet.add(inner, pink, 0.25, 12.0)
    head = sheet.ball(MIDDLE, 156, 106 * k, 86 * k, power=2.25)
    sheet.add(head, _cat_markings(sheet, main, pale, dark, k), 1.0, 26.0)
    x, y = sheet.at(MIDDLE, 156 + 6 * k)
    eyes = {"fluff": 1.28, "pile": 1.75, "felt": 1.15, "jersey": 1.4}[style.fabric]
    nose = dye(plane([52.0, 26.0, 17.0]), style)
    toy_face = ToyFace(x, y, 82 * k * sheet.factor, 0.54, "cat", coat.iris, plane(nose), eyes)
    return sheet.pattern(toy_face)


def _cat_body(sheet: Sheet, main: int, pale: int, dark: int) -> None:
    tail = [(214.0, 338.0), (252.0, 328.0), (264.0, 296.0), (254.0, 268.0)]
    rings = np.full(sheet.size, main, np.uint8)
    for y in (274, 300):
        rings[sheet.ball(260, y, 26, 7) > 0] = dark
    sheet.add(sheet.tube(tail, 14), rings)
    trunk = np.full(sheet.size, main, np.uint8)
    trunk[sheet.ball(MIDDLE, 306, 44, 52) > 0] = pale
    for side in (-1, 1):
        for y in (282, 304, 326):
            trunk[sheet.ball(MIDDLE + side * 74, y, 20, 5.5, side * -12.0) > 0] = dark
    sheet.add(sheet.ball(MIDDLE, 296, 76, 70, power=2.2), trunk, 1.0, 4.0)
    for side in (-1, 1):
        sheet.add(sheet.ball(MIDDLE + side * 46, 350, 33, 22, side * 6.0), pale, 0.9, 22.0)
        sheet.add(sheet.ball(MIDDLE + side * 58, 286, 19, 42, side * 16.0), main, 0.9, 24.0)


def _cat_markings(sheet: Sheet, main: int, pale: int, dark: int, k: float) -> Labels:
    marks = np.full(sheet.size, main, np.uint8)
    top = 156 - 86 * k
    for dx, long in ((0.0, 44.0), (-25.0, 36.0), (25.0, 36.0)):
        bar = [(MIDDLE + dx * k * 1.3, top - 8), (MIDDLE + dx * k * 0.8, top + long * k)]
        marks[sheet.tube(bar, 6.0 * k) > 0] = dark
    for side in (-1, 1):
        for dy, reach in ((8.0, 74.0), (28.0, 78.0)):
            y = 156 + dy * k
            bar = [(MIDDLE + side * 112 * k, y), (MIDDLE + side * reach * k, y + 3)]
            marks[sheet.tube(bar, 5.0 * k) > 0] = dark
        marks[sheet.ball(MIDDLE + side * 21 * k, 194 * 1.0 + (k - 1) * 36, 31 * k, 26 * k) > 0] = (
            pale
        )
    marks[sheet.ball(MIDDLE, 178 + (k - 1) * 20, 13 * k, 34 * k) > 0] = pale
    marks[sheet.ball(MIDDLE, 226 + (k - 1) * 70, 40 * k, 22 * k) > 0] = pale
    return marks


def person_toy(
    rgb: Bytes,
    face: Face,
    inside: NDArray[np.bool_],
    style: PlushStyle,
) -> ToyPattern:
    """A rag doll with the skin, hair and clothes of the person in `rgb` (h, w, 3).

    `inside` is the person's mask on any grid of the same sides' ratio.
    """
    sheet = Sheet(style)
    skin_lab = plane(np.median(_region(rgb, face, (-0.45, -0.3, 0.45, 0.55)), axis=0))
    skin_lab = plane([min(88.0, float(skin_lab[0]) + 6), *(skin_lab[1:] * 1.2)])
    hair_lab = plane(np.median(_region(rgb, face, (-0.6, -1.4, 0.6, -0.98)), axis=0))
    hair_lab += plane([0.0, 3.0, 0.0])
    sides = [_region(rgb, face, (a, 0.9, a + 0.3, 1.5)) for a in (-1.45, 1.15)]
    gaps = [float(np.linalg.norm(np.median(s, axis=0) - hair_lab)) for s in sides]
    skin, hair = sheet.cloth(skin_lab), sheet.cloth(hair_lab)
    clothes, trousers = _clothes(sheet, rgb, face, inside)
    shoes = sheet.cloth(plane([24.0, 3.0, 4.0]))
    _doll_body(sheet, clothes, trousers, skin, shoes)
    _doll_head(sheet, skin, hair, max(gaps) < 24)
    k = HEAD_SIZE[style.fabric]
    x, y = sheet.at(MIDDLE, 152 + 10 * k)
    eyes = {"fluff": 0.95, "pile": 1.2, "felt": 0.85, "jersey": 1.2}[style.fabric]
    return sheet.pattern(ToyFace(x, y, 72 * k * sheet.factor, 0.44, "person", eye_scale=eyes))


def _clothes(sheet: Sheet, rgb: Bytes, face: Face, inside: NDArray[np.bool_]) -> tuple[Labels, int]:
    """Patches of the torso laid on the doll's body, and the main cloth's number."""
    height, width = rgb.shape[:2]
    left, right = (face.x - 2.3 * face.rx) * width, (face.x + 2.3 * face.rx) * width
    top = (face.y + 1.25 * face.ry) * height
    bottom = min(float(height), top + 5.0 * face.ry * height)
    if bottom - top < 8:
        top = max(0.0, bottom - 0.3 * height)
    (x0, y0), (x1, y1) = sheet.at(84, 208), sheet.at(223, 346)
    move = cv2.getAffineTransform(
        plane([[left, top], [right, top], [left, bottom]]), plane([[x0, y0], [x1, y0], [x0, y1]])
    )
    rows, columns = sheet.size
    photo = cv2.warpAffine(rgb, move, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    whole = cv2.resize(plane(inside), (width, height))
    mask = cv2.warpAffine(whole, move, (columns, rows)) > 0.5
    torso = sheet.ball(MIDDLE, 278, 72, 74) > 0
    chosen = mask & torso if (mask & torso).sum() > 0.3 * torso.sum() else torso
    calm = cv2.bilateralFilter(cv2.bilateralFilter(photo, 9, 45, 8), 9, 35, 8)
    patches, found = fabric_patches(to_lab(unit(calm)), chosen, sheet.style)
    first = len(sheet.colours)
    sheet.colours.extend(dye(found, sheet.style))
    shares = np.bincount(patches[torso], minlength=len(found))
    return (patches + first).astype(np.uint8), first + int(shares.argmax())


def _doll_body(sheet: Sheet, clothes: Labels, main: int, skin: int, shoes: int) -> None:
    for side in (-1, 1):
        sheet.add(sheet.tube([(MIDDLE + side * 30, 310), (MIDDLE + side * 34, 344)], 25), main)
        sheet.add(sheet.ball(MIDDLE + side * 39, 360, 33, 19, side * 5.0), shoes, 0.9, 10.0)
    sheet.add(sheet.ball(MIDDLE, 274, 66, 70, power=2.3), clothes, 1.0, 4.0)
    for side in (-1, 1):
        hand = sheet.ball(MIDDLE + side * 102, 300, 19, 19)
        arm = sheet.tube([(MIDDLE + side * 58, 240), (MIDDLE + side * 94, 288)], 21)
        sheet.add(hand, skin, 0.9, 6.0)
        sheet.add(arm, main, 0.9, 10.0)


def _doll_head(sheet: Sheet, skin: int, hair: int, long_hair: bool) -> None:
    k = HEAD_SIZE[sheet.style.fabric]
    y = 146.0
    if long_hair:
        back = sheet.ball(MIDDLE, y + 34 * k, 104 * k, 104 * k, power=2.6)
        sheet.add(back, hair, 0.8)
    for side in (-1, 1):
        sheet.add(sheet.ball(MIDDLE + side * 92 * k, y + 14 * k, 14 * k, 17 * k), skin, 0.8, 8.0)
    head = sheet.ball(MIDDLE, y, 92 * k, 84 * k, power=2.25)
    sheet.add(head, skin, 1.0, 22.0)
    cap = sheet.ball(MIDDLE, y - 8 * k, 101 * k, 92 * k, power=2.2)
    opening = sheet.ball(MIDDLE + 9 * k, y + 46 * k, 80 * k, 82 * k, power=2.4)
    low = 92.0 if long_hair else 12.0
    ends = sheet.ball(MIDDLE, y - 90 * k, 220 * k, (90 + low) * k, power=6.0)
    whole = (cap > 0) & (opening < 0) & (ends > 0)
    sheet.add(shape.rounded(whole, 3.0, 1.0), hair, 0.55, 44.0 * sheet.factor)
