"""What goes out and what comes back: photos made small, answers checked as uploads are."""

from __future__ import annotations

import io

from PIL import Image

from markethall.content.imaging.encoding import encode
from markethall.content.imaging.providers.base import (
    MadePicture,
    ProviderUnavailable,
    UnusableAnswer,
    Usage,
)
from markethall.foundation.files.errors import InvalidPicture, UnsupportedMediaType
from markethall.foundation.files.pictures import clean_picture
from markethall.kernel.errors import PayloadTooLarge, TooManyRequests

SENT_SIDE = 1280  # pixels of the longer side of what is sent
_LEAST = 256  # pixels of the longer side of what is accepted


def small_jpeg(photo: bytes, *, longer_side: int = SENT_SIDE, most: int = 2_000_000) -> bytes:
    """The photo as JPEG of at most ``longer_side`` pixels and about ``most`` bytes: providers
    bill by size, and look at no more than this. Transparent parts become white."""
    with Image.open(io.BytesIO(photo)) as opened:
        opened.draft("RGB", (longer_side, longer_side))
        picture = _on_white(opened)
    picture.thumbnail((longer_side, longer_side), Image.Resampling.LANCZOS)
    content = b""
    for quality in (88, 78, 65, 50):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        content = out.getvalue()
        if len(content) <= most:
            break
    return content


def size_of(photo: bytes) -> tuple[int, int]:
    """Width and height of a stored photo, in pixels."""
    with Image.open(io.BytesIO(photo)) as opened:
        return opened.size


def checked(
    content: bytes, *, content_type: str, longer_side: int, usage: Usage | None = None
) -> MadePicture:
    """A provider's answer as one of our pictures: proved by decoding it, ``longer_side`` pixels
    long, encoded anew without metadata.

    Raises UnusableAnswer, with the ``usage`` that was paid for all the same.
    """
    usage = usage or Usage(pictures=1)
    try:
        clean = clean_picture(io.BytesIO(content), size=len(content), declared_type=content_type)
    except TooManyRequests as error:
        raise ProviderUnavailable("too many large pictures at once", retry_after=5) from error
    except (InvalidPicture, UnsupportedMediaType, PayloadTooLarge) as error:
        raise UnusableAnswer(f"no usable picture: {error.code}", usage=usage) from error
    with Image.open(io.BytesIO(clean.content)) as opened:
        picture = _on_white(opened)
    if max(picture.size) < _LEAST:
        raise UnusableAnswer(f"a picture of {picture.width} × {picture.height}", usage=usage)
    scale = longer_side / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    encoded, kind = encode(picture)
    return MadePicture(encoded, kind, width, height, usage)


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")
