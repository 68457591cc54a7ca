"""P7: CPU seconds of one plush picture on one core, by style.

Each picture is made as the worker makes it, in a process of its own, whose start counts.
"""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator

from bench.figures import Figure, median
from bench.people import open_hall

_TIMES = 3


def run() -> Iterator[Figure]:
    with open_hall():
        from markethall.content.imaging.plush import STYLES

        original = photo()
        for style in map(str, STYLES):
            times = [_cpu_of(original, style) for _ in range(_TIMES)]
            yield Figure(
                "P7", f"plush picture of 1024 px, {style}", median(times), "CPU s", target=2,
                at_most=True,
                note=f"median of {_TIMES}, {min(times):.2f} to {max(times):.2f},"
                " the process's start included",
            )  # fmt: skip


def photo() -> bytes:
    """A creature before a window: something to cut out, with shade, grain and colour."""
    import numpy as np
    from PIL import Image, ImageDraw

    height, width = 1200, 1600
    down = np.linspace(0, 1, height)[:, None, None]
    ground = np.array([[[196, 214, 226]]]) * (1 - down) + np.array([[[126, 104, 82]]]) * down
    grain = np.random.default_rng(7).normal(0, 9, (height, width, 1))
    picture = Image.fromarray(np.clip(ground + grain, 0, 255).astype("uint8"))
    draw = ImageDraw.Draw(picture)
    for box, colour in (
        ((560, 520, 1040, 1120), "#b5652b"),
        ((600, 180, 1000, 600), "#c9793a"),
        ((590, 130, 700, 300), "#a5551f"),
        ((900, 130, 1010, 300), "#a5551f"),
        ((690, 340, 740, 400), "#221a14"),
        ((860, 340, 910, 400), "#221a14"),
        ((720, 420, 880, 540), "#e8c49c"),
        ((770, 430, 830, 470), "#2b1c16"),
    ):
        draw.ellipse(box, fill=colour)
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=90)
    return kept.getvalue()


def _cpu_of(original: bytes, style: str) -> float:
    from markethall.content.imaging.providers.base import PictureWish
    from markethall.content.imaging.providers.local import LocalProvider

    wish = PictureWish(
        reference="bench",
        original=original,
        content_type="image/jpeg",
        style=style,
        longer_side=1024,
        prompt="",
        seed=7,
    )
    before = _children()
    LocalProvider().make(wish)
    return _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
