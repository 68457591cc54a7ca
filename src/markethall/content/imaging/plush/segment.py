"""Finding the subject: a border colour model and a centre prior seed GrabCut."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from markethall.content.imaging.plush.arrays import Bytes, Plane, blur, plane, resize, to_lab, unit
from markethall.content.imaging.plush.landmarks import Face
from markethall.content.imaging.plush.palette import cluster

SEGMENT_SIDE = 180
"""Longer side of the copy that is segmented, pixels."""
LEAST_CONFIDENCE = 0.48
SURE = 0.62
"""Confidence above which no second, stricter attempt is made."""


@dataclass(frozen=True)
class Subject:
    """The subject's mask on the reduced photo, and how far to trust it.

    `mask` is (h, w) bool; `confidence` is 0..1; `cut` says whether the frame cuts the subject.
    """

    mask: NDArray[np.bool_]
    confidence: float
    cut: bool


def _border_distance(lab: Plane) -> Plane:
    """Mahalanobis distance of each pixel to the nearest colour of the photo's border."""
    height, width = lab.shape[:2]
    strip = max(2, round(min(height, width) * 0.045))
    border = np.zeros((height, width), bool)
    border[:strip] = True
    border[: int(height * 0.9), :strip] = border[: int(height * 0.9), -strip:] = True
    samples = lab[border]
    groups, centres = cluster(samples, 7)
    nearest = np.full((height, width), 1e6, np.float32)
    for index, centre in enumerate(centres):
        own = samples[groups == index]
        if len(own) < max(4, 0.03 * len(samples)):
            continue
        spread = np.cov(own.T) + np.diag([40.0, 14.0, 14.0])
        offset = lab - centre
        nearest = np.minimum(
            nearest, np.einsum("hwi,ij,hwj->hw", offset, np.linalg.inv(spread), offset)
        )
    return plane(np.sqrt(nearest))


def _saliency(rgb: Bytes, lab: Plane) -> Plane:
    """0..1 per pixel: unlike the border, near the centre, in focus."""
    height, width = lab.shape[:2]
    unlike = blur(1 - np.exp(-_border_distance(lab) / 3.0), 1.5)
    ys, xs = np.mgrid[0:height, 0:width]
    away = ((xs / width - 0.5) / 0.36) ** 2 + ((ys / height - 0.52) / 0.4) ** 2
    centre = np.exp(-0.5 * away)
    grey = plane(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    focus = blur(np.abs(plane(cv2.Laplacian(grey, cv2.CV_32F))), 4.0)
    focus = np.clip(focus / (np.percentile(focus, 95) + 1e-3), 0, 1)
    value = unlike * (0.25 + 0.75 * centre) * (0.75 + 0.25 * focus)
    return plane(value / (value.max() + 1e-6))


def _seed(saliency: Plane, face: Face | None, strict: float) -> Bytes:
    """The trimap that GrabCut starts from; a `strict` above 1 asks for more salience."""
    height, width = saliency.shape
    level = cv2.threshold((saliency * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)[0] / 255
    level *= strict
    seeds = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    seeds[saliency > level * 0.95] = cv2.GC_PR_FGD
    seeds[saliency > max(0.8, level * 1.5)] = cv2.GC_FGD
    seeds[saliency < level * 0.25] = cv2.GC_BGD
    edge = max(1, round(min(height, width) * 0.015))
    seeds[:edge] = cv2.GC_BGD
    seeds[:, :edge] = seeds[:, -edge:] = cv2.GC_BGD
    if face is not None:
        at = (int(face.x * width), int(face.y * height))
        rx, ry = face.rx * width, face.ry * height
        body = (max(0, int(at[0] - 2.4 * rx)), int(at[1] + ry))
        corner = (min(width, int(at[0] + 2.4 * rx)), height)
        region = seeds[body[1] :, body[0] : corner[0]]
        region[region == cv2.GC_PR_BGD] = cv2.GC_PR_FGD
        cv2.ellipse(seeds, at, (int(rx), int(ry * 1.2)), 0, 0, 360, int(cv2.GC_FGD), -1)
    return seeds


def _main_component(mask: NDArray[np.bool_], centre: Plane) -> NDArray[np.bool_]:
    """The component with most salient area, its holes filled."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, marks = cv2.connectedComponents(opened)
    if count < 2:
        return mask
    weight = np.bincount(marks.ravel(), weights=centre.ravel(), minlength=count)
    weight[0] = -1
    chosen = (marks == int(weight.argmax())).astype(np.uint8)
    contours, _ = cv2.findContours(chosen, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = chosen.copy()
    for contour in contours:
        if cv2.contourArea(contour) < 0.02 * chosen.sum():
            cv2.drawContours(filled, [contour], -1, 1, -1)
    return np.asarray(filled > 0)


def _confidence(mask: NDArray[np.bool_], lab: Plane, saliency: Plane) -> tuple[float, bool]:
    """How much the mask looks like one whole subject, and whether the frame cuts it."""
    area = float(mask.mean())
    if area < 0.015 or area > 0.93:
        return 0.0, True
    sides = [mask[0].mean(), mask[:, 0].mean(), mask[:, -1].mean()]
    inner = [mask[2].mean(), mask[:, 2].mean(), mask[:, -3].mean()]
    touching = float(max(*sides, *inner))
    cut = touching > 0.1 or float(mask[-2].mean()) > 0.12
    ring = cv2.dilate(mask.astype(np.uint8), np.ones((19, 19), np.uint8)).astype(bool) & ~mask
    bins = [np.linspace(0, 100, 9), np.linspace(-60, 80, 13), np.linspace(-70, 80, 13)]
    shares = []
    for region in (mask, ring):
        counts, _ = np.histogramdd(lab[region], bins=bins)
        shares.append(counts / max(1.0, counts.sum()))
    contrast = 1 - float(np.sqrt(shares[0] * shares[1]).sum())
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    hull = float(cv2.contourArea(cv2.convexHull(outline)))
    solid = float(cv2.contourArea(outline)) / max(1.0, hull)
    size = min(1.0, area / 0.018) * (1.0 if area < 0.65 else max(0.0, (0.93 - area) / 0.28))
    value = (0.2 + 0.8 * contrast) * (0.45 + 0.55 * min(1.0, solid / 0.75)) * size
    stands_out = float(saliency[mask].mean() - saliency[~mask].mean())
    value *= 0.4 + 0.6 * min(1.0, max(0.0, stands_out) / 0.3)
    return float(value * (1 - 0.8 * max(0.0, touching - 0.15))), cut


def find_subject(rgb: Bytes, alpha: Plane | None, face: Face | None) -> Subject:
    """The subject of a photo.

    `rgb` is (h, w, 3) with its longer side about SEGMENT_SIDE; `alpha` (h, w) 0..1 if the
    photo is transparent somewhere, then it is the mask.
    """
    lab = to_lab(unit(rgb))
    if alpha is not None:
        cut_out = resize(alpha, *lab.shape[:2]) > 0.5
        if 0.01 < cut_out.mean() < 0.99:
            whole = _main_component(cut_out, plane(cut_out))
            return Subject(whole, 1.0, _confidence(whole, lab, plane(cut_out))[1])
    if min(rgb.shape[:2]) < 12 or float(lab.std(axis=(0, 1)).sum()) < 3:
        return Subject(np.zeros(lab.shape[:2], bool), 0.0, False)
    saliency = _saliency(rgb, lab)
    best = _grown(rgb, lab, saliency, _seed(saliency, face, 1.0))
    if best.confidence < SURE and face is None:
        strict = _grown(rgb, lab, saliency, _seed(saliency, face, 1.5))
        best = max(best, strict, key=lambda found: found.confidence)
    return best


def _grown(rgb: Bytes, lab: Plane, saliency: Plane, seeds: Bytes) -> Subject:
    """What GrabCut makes of the seeds, (h, w)."""
    likely = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    if likely.sum() < 20 or (~likely).sum() < 20:
        return Subject(likely, 0.0, False)
    cv2.setRNGSeed(7)
    empty = np.zeros((1, 65))
    smooth = cv2.bilateralFilter(rgb, 5, 30, 5)
    whole = (0, 0, rgb.shape[1], rgb.shape[0])
    cv2.grabCut(smooth, seeds, whole, empty, empty.copy(), 3, cv2.GC_INIT_WITH_MASK)
    found = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    if found.sum() < 20:
        return Subject(likely, 0.0, False)
    mask = _main_component(found, saliency)
    confidence, cut = _confidence(mask, lab, saliency)
    return Subject(mask, confidence, cut)
