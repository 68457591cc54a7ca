"""Makes the same picture a few times in each style and prints the CPU seconds of each as JSON."""

from __future__ import annotations

import io
import json
import sys
import time

import cv2
import numpy as np
from markethall.content.imaging.plush import STYLES, render_plush
from PIL import Image, ImageDraw


def photo() -> bytes:
    """A creature before a window: something to cut out, with shade, grain and colour."""
    height, width = 1200, 1600
    down = np.linspace(0, 1, height)[:, None, None]
    ground = np.array([[[196, 214, 226]]]) * (1 - down) + np.array([[[126, 104, 82]]]) * down
    grain = np.random.default_rng(7).normal(0, 9, (height, width, 1))
    picture = Image.fromarray(np.clip(ground + grain, 0, 255).astype("uint8"))
    draw = ImageDraw.Draw(picture)
    for box, colour in (
        ((560, 520, 1040, 1120), "#b5652b"), ((600, 180, 1000, 600), "#c9793a"),
        ((590, 130, 700, 300), "#a5551f"), ((900, 130, 1010, 300), "#a5551f"),
        ((690, 340, 740, 400), "#221a14"), ((860, 340, 910, 400), "#221a14"),
        ((720, 420, 880, 540), "#e8c49c"), ((770, 430, 830, 470), "#2b1c16"),
    ):  # fmt: skip
        draw.ellipse(box, fill=colour)
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=90)
    return kept.getvalue()


def main(times: int) -> None:
    cv2.setNumThreads(1)
    original = photo()
    used: dict[str, list[float]] = {}
    for style in map(str, STYLES):
        for _ in range(times):
            began = time.process_time()
            render_plush(original, style, 1024, 7)
            used.setdefault(style, []).append(time.process_time() - began)
    print(json.dumps(used))


main(int(sys.argv[1]))
