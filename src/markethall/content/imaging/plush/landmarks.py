"""Finding faces: people's and cats', with the cascades that OpenCV ships."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from markethall.content.imaging.plush.arrays import Bytes

CASCADES = Path(cv2.__file__).parent / "data"
LOOK_SIDE = 220
"""Longer side of the copy that is searched, pixels."""
CAT_MARGIN = 0.22
CAT_SCORE = 1.9


@dataclass(frozen=True)
class Face:
    """A face: centre and radius as fractions of the photo's width and height."""

    kind: Literal["person", "cat"]
    x: float
    y: float
    rx: float
    ry: float


@cache
def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(CASCADES / f"{name}.xml"))


def _person(grey: Bytes) -> Face | None:
    height, width = grey.shape
    least = max(20, int(min(height, width) * 0.1))
    boxes, _, weights = _cascade("haarcascade_frontalface_alt2").detectMultiScale3(
        grey, 1.1, 3, minSize=(least, least), outputRejectLevels=True
    )
    if len(boxes) == 0:
        return None
    ranked = [
        (float(w) * float(b[2]), i) for i, (b, w) in enumerate(zip(boxes, weights, strict=True))
    ]
    score, best = max(ranked)
    x, y, w, h = (float(v) for v in boxes[best])
    if score < 300.0:
        return None
    return Face("person", (x + w / 2) / width, (y + h / 2) / height, w / 2 / width, h / 2 / height)


def _cat(grey: Bytes) -> Face | None:
    """Cats rarely look straight ahead: three tilts of a padded copy vote together."""
    pad = int(max(grey.shape) * CAT_MARGIN)
    wide = cv2.copyMakeBorder(grey, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    height, width = wide.shape
    least = int(min(grey.shape) * 0.45)
    votes: list[tuple[float, float, float, float]] = []
    for tilt in (-15.0, 0.0, 15.0):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
        turned = cv2.warpAffine(wide, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        back = cv2.invertAffineTransform(turn)
        for name in ("haarcascade_frontalcatface", "haarcascade_frontalcatface_extended"):
            boxes, _, weights = _cascade(name).detectMultiScale3(
                turned, 1.1, 1, minSize=(least, least), outputRejectLevels=True
            )
            for box, weight in zip(boxes, weights, strict=True):
                x, y, w, h = (float(v) for v in box)
                cx, cy = back @ np.array([x + w / 2, y + h / 2, 1.0])
                votes.append((float(weight) + 0.6, float(cx), float(cy), w))
    if sum(vote[0] for vote in votes) < CAT_SCORE or len(votes) < 2:
        return None
    table = np.array(votes)
    _, cx, cy, side = np.median(table, axis=0)
    if float(np.median(np.abs(table[:, 1:3] - [cx, cy]))) > 0.2 * side:
        return None
    rows, columns = grey.shape
    x, y = (cx - pad) / columns, (cy - pad) / rows
    return Face("cat", float(x), float(y), float(side / 2 / columns), float(side / 2 / rows))


def find_face(rgb: Bytes) -> Face | None:
    """The photo's main face, or None. `rgb` has shape (h, w, 3)."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    factor = LOOK_SIDE / max(grey.shape)
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    if min(size) < 48 or float(grey.std()) < 6:
        return None
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return _person(small) or _cat(small)
