"""Smaller versions of a picture, for screens that need no more."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from markethall.foundation.files.pictures import Picture

CONTENT_TYPE = "image/webp"


def in_widths(picture: Picture, widths: Sequence[int]) -> list[Picture]:
    """A clean picture as WebP in those of ``widths`` (pixels, ascending) that it has; one that is
    narrower than all of them, in its own."""
    made = []
    with Image.open(io.BytesIO(picture.content)) as original:
        original.load()
        whole = original if original.mode in {"RGB", "RGBA"} else original.convert("RGB")
        # The largest first: each is made of the one before, which has all that it needs.
        for width in sorted([w for w in widths if w <= whole.width] or [whole.width], reverse=True):
            height = max(1, round(picture.height * width / picture.width))
            if whole.size != (width, height):
                whole = whole.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
            out = io.BytesIO()
            whole.save(out, "WEBP", quality=82, method=4)
            made.append(Picture(out.getvalue(), CONTENT_TYPE, width, height))
    return made[::-1]
