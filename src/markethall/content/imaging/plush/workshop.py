"""Sewing: from a pattern to the picture of the finished toy."""

from dataclasses import dataclass

import cv2
import numpy as np

from markethall.content.imaging.plush import fabric, stitch, studio
from markethall.content.imaging.plush.arrays import (
    Bytes,
    Labels,
    Plane,
    blur,
    plane,
    resize,
    signed_distance,
    smoothstep,
    to_rgb,
)
from markethall.content.imaging.plush.face import blush, sew_face
from markethall.content.imaging.plush.palette import dye
from markethall.content.imaging.plush.pattern import Part, ToyPattern
from markethall.content.imaging.plush.shape import inflated, opened
from markethall.content.imaging.plush.styles import PATTERN_SIDE, PlushStyle

MARGIN = 18
"""Room around the toy that its fur may reach into, units."""
GRID = 3
"""Units that make whole pixels in every picture size."""
CREAM = plane([0.98, 0.95, 0.88])
BLUSH = plane([0.93, 0.45, 0.47])


@dataclass(frozen=True)
class Assembled:
    """The toy on the picture's grid: all (h, w), lengths in pixels, colour (h, w, 3) RGB 0..1."""

    outline: Plane
    height: Plane
    albedo: Plane
    patches: Labels
    layer: Labels


def _sharp_patches(part: Part, count: int, rows: int, columns: int, scale: float) -> Labels:
    """A part's patches on the picture's grid with smooth borders."""
    if isinstance(part.patches, int):
        return np.full((rows, columns), part.patches, np.uint8)
    best = np.full((rows, columns), -1.0, np.float32)
    chosen = np.zeros((rows, columns), np.uint8)
    for index in np.unique(part.patches):
        own = blur(plane(part.patches == index), 1.6)
        share = resize(own, rows, columns)
        np.copyto(chosen, np.uint8(index), where=share > best)
        np.maximum(best, share, out=best)
    return chosen


def _creases(patches: Labels, depth: float, scale: float) -> Plane:
    """How deep the seams between patches are, pixels."""
    change = np.zeros(patches.shape, np.float32)
    change[:, 1:] += patches[:, 1:] != patches[:, :-1]
    change[1:] += patches[1:] != patches[:-1]
    line = blur(plane(np.clip(change, 0, 1)), 1.5 * scale) * 1.5 * scale * 2.2
    return plane(depth * scale * np.clip(line, 0, 1))


def assemble(pattern: ToyPattern, style: PlushStyle, rows: int, columns: int) -> Assembled:
    """Sews the parts together, back to front."""
    scale = rows / pattern.height
    outline = np.full((rows, columns), -1e4, np.float32)
    height = np.zeros((rows, columns), np.float32)
    patches = np.zeros((rows, columns), np.uint8)
    layer = np.zeros((rows, columns), np.uint8)
    table = to_rgb(pattern.colours)
    tint = None
    for index, part in enumerate(pattern.parts, start=1):
        distance, rise = inflated(part.distance, rows, columns)
        rise = part.puff * rise
        on = distance > 0
        halo = on | ((outline < 0) & (distance > np.maximum(outline, -1e3)))
        labels = _sharp_patches(part, len(table), rows, columns, scale)
        if not isinstance(part.patches, int):
            rise = rise - _creases(labels, style.groove, scale) * np.clip(
                distance / (6 * scale), 0, 1
            )
        np.copyto(height, rise + part.lift * scale, where=on)
        np.copyto(patches, labels, where=halo)
        layer[on] = index
        outline = np.maximum(outline, distance)
        if part.photo is not None and style.photo_share > 0:
            shown = resize(to_rgb(dye(part.photo, style)), rows, columns)
            tint = (shown, plane(index))
    albedo = plane(table[patches])
    albedo = blur(albedo, 0.45 * scale)
    if tint is not None:
        share = style.photo_share * (layer == tint[1])
        channels = zip(cv2.split(albedo), cv2.split(tint[0]), strict=True)
        albedo = plane(cv2.merge([own * (1 - share) + shown * share for own, shown in channels]))
    return Assembled(plane(outline), plane(height), albedo, patches, layer)


def _cloth(toy: Assembled, style: PlushStyle, scale: float, rng: np.random.Generator) -> Assembled:
    """Adds the cloth's own relief and the unevenness of its dye."""
    rows, columns = toy.height.shape
    albedo = toy.albedo
    height = toy.height
    if style.fabric == "felt":
        relief = fabric.felt(rng, rows, columns, scale)
        albedo = albedo * (1 + 0.045 * relief[..., None])
    elif style.fabric == "jersey":
        relief = fabric.jersey(rng, rows, columns, scale)
        albedo = albedo * (1 + 0.028 * relief[..., None])
    return Assembled(toy.outline, height, plane(albedo), toy.patches, toy.layer)


def _fur_roots(
    toy: Assembled, style: PlushStyle, scale: float, rng: np.random.Generator
) -> tuple[Plane, Plane]:
    """Strand roots in drawing order, and each strand's length; pixels."""
    roots = fabric.root_grid(
        rng, plane(toy.outline - 0.3 * scale), max(2.2, style.strand_step * scale)
    )
    x = np.clip(roots[:, 0].astype(int), 0, toy.height.shape[1] - 1)
    y = np.clip(roots[:, 1].astype(int), 0, toy.height.shape[0] - 1)
    order = (
        toy.layer[y, x].astype(np.float32) * 1000
        + toy.height[y, x] / scale
        - 0.35 * roots[:, 1] / scale
        + plane(rng.normal(0, 5.0, len(roots)))
    )
    ranked = np.argsort(order, kind="stable")
    roots = plane(roots[ranked])
    near = np.exp(-toy.outline[y, x][ranked] / (7 * scale))
    length = style.strand_length * scale * (0.8 + 0.1 * near)
    return roots, plane(length * rng.uniform(0.6, 1.15, len(roots)))


def _stitches(canvas: Bytes, toy: Assembled, pattern: ToyPattern, scale: float) -> None:
    """Thick thread along patches and rim."""
    small = 2
    colours = to_rgb(pattern.colours)
    layer, patches = toy.layer[::small, ::small], toy.patches[::small, ::small]
    deep = np.zeros(layer.shape, bool)
    for number in range(1, len(pattern.parts) + 1):
        within = signed_distance(layer == number) * small
        if not isinstance(pattern.parts[number - 1].patches, int):
            deep |= within > 8.0 * scale
        for rim in stitch.contours(within > 4.4 * scale, 30 * scale / small, 3.0):
            stitch.running_stitch(
                canvas, plane(rim * small), CREAM, 6.2 * scale, 4.6 * scale, 1.9 * scale
            )
    shares = np.bincount(patches[deep], minlength=len(colours))
    for index in range(len(colours)):
        if index == int(shares.argmax()):
            continue
        own = opened((patches == index) & deep, 8.0 * scale / small)
        edge = blur(plane(own), 2.0 * scale / small)
        colour = colours[index]
        pale = plane(np.clip(colour * 0.55, 0, 1) if colour.mean() > 0.62 else colour * 0.45 + 0.5)
        for path in stitch.contours(edge > 0.72, 60 * scale / small, 4.0):
            stitch.running_stitch(
                canvas, plane(path * small), pale, 4.6 * scale, 4.2 * scale, 1.3 * scale
            )


def _set_up(
    pattern: ToyPattern, toy: Assembled, outline: Plane, style: PlushStyle, scale: float
) -> Bytes:
    """The set with the toy's shadow and tag, (h, w, 3); `outline` covers it all. The toy, laid
    over it later, hides the tag's sewn edge."""
    ground = float(np.nonzero((outline > 0).any(axis=1))[0].max())
    weights = plane(np.bincount(toy.patches[toy.outline > 0], minlength=len(pattern.colours)))
    wall, floor = studio.backdrop(pattern.colours, weights, style)
    rows, columns = outline.shape
    coarse = studio.stage((rows // 4, columns // 4), ground / 4, wall, floor)
    stage = resize(coarse, rows, columns)
    dark = studio.shadows(outline, ground, scale)
    channels = [
        np.clip(light * (1 - dark * tint) * 255 + 0.5, 0, 255).astype(np.uint8)
        for light, tint in zip(cv2.split(stage), plane([0.92, 0.96, 1.0]), strict=True)
    ]
    canvas: Bytes = cv2.merge(channels).astype(np.uint8)
    spot = stitch.tag_spot(outline)
    if spot is not None:
        vivid = np.hypot(pattern.colours[:, 1], pattern.colours[:, 2]) * np.sqrt(weights)
        colour = to_rgb(pattern.colours[int(vivid.argmax())])
        stitch.tag(canvas, spot, 19 * scale, colour)
    return canvas


def _laid_over(canvas: Bytes, colour: Plane, cover: Plane) -> Bytes:
    """`colour` (h, w, 3) 0..1 over `canvas`, where `cover` (h, w) is 1."""
    under, over = 1 - cover, 255 * cover
    channels = [
        np.clip(below * under + above * over + 0.5, 0, 255).astype(np.uint8)
        for below, above in zip(cv2.split(canvas), cv2.split(colour), strict=True)
    ]
    laid: Bytes = cv2.merge(channels).astype(np.uint8)
    return laid


def _clothed(
    canvas: Bytes,
    pattern: ToyPattern,
    toy: Assembled,
    style: PlushStyle,
    scale: float,
    rng: np.random.Generator,
) -> Bytes:
    """The toy in its light, fur, thread and face, laid over `canvas` of the toy's size."""
    albedo = toy.albedo
    if pattern.face is not None and style.blush > 0:
        cheeks = style.blush * 0.62 * blush(pattern.face, toy.height.shape, scale)[..., None]
        albedo = plane(albedo * (1 - cheeks) + BLUSH * cheeks)
    inside = plane(np.clip(toy.outline + 0.5, 0, 1))
    if style.fabric == "fluff":
        inside = smoothstep(-3.0 * scale, 0.8 * scale, toy.outline)
    colour = studio.lit(albedo, toy.height, toy.outline, style, scale)
    drawn = _laid_over(canvas, colour, inside)
    if style.strand_length > 0:
        normal = studio.normals(blur(toy.height, 2.0 * scale))
        flow = fabric.pile_flow(rng, normal, scale, style.droop, 0.45)
        roots, lengths = _fur_roots(toy, style, scale, rng)
        fabric.fur(drawn, colour, roots, flow, lengths, rng, style, scale)
    if style.stitches:
        _stitches(drawn, toy, pattern, scale)
    if pattern.face is not None:
        sew_face(drawn, pattern.face, style, scale)
    return drawn


def sew(
    pattern: ToyPattern, style: PlushStyle, longer_side: int, rng: np.random.Generator
) -> Bytes:
    """The finished picture (h, w, 3) RGB with its longer side `longer_side` pixels."""
    scale = longer_side / PATTERN_SIDE
    size = (round(pattern.height * scale), round(pattern.width * scale))
    piece, top, left = pattern.cropped(MARGIN, GRID)
    rows, columns = round(piece.height * scale), round(piece.width * scale)
    toy = _cloth(assemble(piece, style, rows, columns), style, scale, rng)
    y, x = round(top * scale), round(left * scale)
    outline = np.full(size, -1e4, np.float32)
    outline[y : y + rows, x : x + columns] = toy.outline
    canvas = _set_up(pattern, toy, outline, style, scale)
    under = canvas[y : y + rows, x : x + columns]
    canvas[y : y + rows, x : x + columns] = _clothed(under, piece, toy, style, scale, rng)
    return studio.finished(canvas, style)
