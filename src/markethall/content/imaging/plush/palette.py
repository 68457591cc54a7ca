"""From photo colours to a few fabric colours."""

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush.arrays import Labels, Plane, blur, plane, soft_blur
from markethall.content.imaging.plush.styles import PlushStyle

SPECK = 0.008
"""Patches smaller than this share of the toy are left out."""
LIGHTNESS_WEIGHT = 0.42
"""Lightness counts less than hue, so that shadows do not become patches of their own."""


def cluster(samples: Plane, count: int) -> tuple[NDArray[np.intp], Plane]:
    """k-means of (n, 3) samples: the group of each sample and the (k, 3) centres."""
    pool = samples[:: max(1, len(samples) // 2500)]
    centres = [pool.mean(axis=0)]
    for _ in range(count - 1):
        gaps = np.min([((pool - c) ** 2).sum(axis=1) for c in centres], axis=0)
        if gaps.max() < 9:
            break
        order = np.argsort(gaps)
        centres.append(pool[order[int(len(order) * 0.985) - 1]])
    table = plane(centres)
    for _ in range(8):
        groups = _nearest(pool, table)
        for index in range(len(table)):
            own = pool[groups == index]
            if len(own):
                table[index] = own.mean(axis=0)
    return _nearest(samples, table), table


def _nearest(samples: Plane, centres: Plane) -> NDArray[np.intp]:
    """The index of the centre next to each sample."""
    gaps = (centres**2).sum(axis=1) - 2 * samples @ centres.T
    return np.asarray(gaps.argmin(axis=1), dtype=np.intp)


def fabric_patches(
    lab: Plane,
    mask: NDArray[np.bool_],
    style: PlushStyle,
    *,
    extra: int = 0,
    calm: float = 1.0,
) -> tuple[Labels, Plane]:
    """Patches of the masked photo: labels (h, w) and their Lab colours (k, 3).

    Colours closer than a dyer's eye could tell are merged; specks disappear. `extra`
    colours are allowed beyond the style's; `calm` scales how large the smallest patch is.
    """
    groups, centres = cluster(_material(lab[mask]), 2 * (style.colours + extra) + 2)
    groups = _merge(groups, centres, style.colours + extra)
    colours, dense = [], np.zeros_like(groups)
    for new, old in enumerate(np.unique(groups)):
        dense[groups == old] = new
        own = lab[mask][groups == old]
        colours.append(_fabric_colour(own))
    table = plane(colours)
    layer = np.zeros(mask.shape, np.uint8)
    layer[mask] = dense
    sigma = (1.0 + style.soften * 0.3) * calm
    layer = majority(layer, mask, len(table), sigma)
    whole = mask & ~_specks(layer, mask, len(table), SPECK * calm * float(mask.sum()))
    return majority(layer, whole, len(table), sigma * 0.6), table


def _specks(layer: Labels, mask: NDArray[np.bool_], count: int, least: float) -> NDArray[np.bool_]:
    """Where patches are too small to be cut from cloth."""
    small = np.zeros(mask.shape, bool)
    for index in range(count):
        own = ((layer == index) & mask).astype(np.uint8)
        _, marks, stats, _ = cv2.connectedComponentsWithStats(own, connectivity=4)
        tiny = stats[:, cv2.CC_STAT_AREA] < least
        tiny[0] = False
        small |= tiny[marks]
    return small


def _material(lab: Plane) -> Plane:
    """Features (n, 3) that tell materials apart, whether lit or in shadow."""
    chroma = float(np.hypot(lab[:, 1], lab[:, 2]).mean())
    weight = 1.0 if chroma < 8 else LIGHTNESS_WEIGHT
    strength = 75 / (lab[:, :1] + 30)
    return plane(np.concatenate([lab[:, :1] * weight, lab[:, 1:] * strength], axis=1))


def _fabric_colour(lab: Plane) -> Plane:
    """A patch's colour: its median, leaning to its lit and vivid side."""
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    vivid = lab[chroma >= np.percentile(chroma, 45)]
    middle = np.median(vivid, axis=0)
    middle[0] = np.percentile(lab[:, 0], 66)
    return plane(middle)


def _merge(groups: NDArray[np.intp], centres: Plane, most: int) -> NDArray[np.intp]:
    """Joins small or similar groups until at most `most` remain."""
    groups = groups.copy()
    while True:
        names, sizes = np.unique(groups, return_counts=True)
        if len(names) < 2:
            return groups
        gaps = np.linalg.norm(centres[names][:, None] - centres[names][None], axis=2)
        gaps[np.diag_indices(len(names))] = np.inf
        share = sizes / sizes.sum()
        cost = gaps.min(axis=1) * np.sqrt(share)
        cost[share < 0.012] *= 0.3
        least = int(cost.argmin())
        if len(names) <= most and gaps[least].min() > 9 and share[least] > 0.012:
            return groups
        groups[groups == names[least]] = names[int(gaps[least].argmin())]


def majority(layer: Labels, mask: NDArray[np.bool_], count: int, sigma: float) -> Labels:
    """Each pixel takes the label most common around it; also fills outside the mask."""
    inside = plane(mask)
    best = np.full(layer.shape, -1.0, np.float32)
    chosen = np.zeros(layer.shape, np.uint8)
    for index in range(count):
        own = inside * (layer == index)
        vote = blur(own, sigma) + 0.02 * soft_blur(own, sigma * 5) + 1e-4 * soft_blur(own, 40.0)
        chosen[vote > best] = index
        best = np.maximum(vote, best)
    return chosen


def dye(lab: Plane, style: PlushStyle) -> Plane:
    """Lab colours as the style's dyer would mix them; any shape (..., 3)."""
    light, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    light = 23 + light * 0.75 if style.fabric != "pile" else 14 + light * 0.85
    light = light + style.pastel * (86 - light) * 0.75
    chroma = np.hypot(a, b)
    wanted = np.minimum(chroma * style.saturation, 78) * (1 - 0.25 * style.pastel)
    factor = wanted / np.maximum(chroma, 1e-3)
    return plane(np.stack([np.clip(light, 0, 96), a * factor, b * factor], axis=-1))
