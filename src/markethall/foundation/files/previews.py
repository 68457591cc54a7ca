"""Small pictures for lists: made when first asked for, kept until swept, made again then."""

from __future__ import annotations

import io

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from PIL import Image

from markethall.foundation.files.models import StoredFile

LONGER_SIDE = 640  # pixels: a card of 320 on a screen of double density
CONTENT_TYPE = "image/webp"


def preview_name(file: StoredFile) -> str:
    """Where the preview of a file lies in the storage."""
    return f"preview/{file.pk.hex[-2:]}/{file.pk.hex}.webp"


def open_preview(file: StoredFile) -> File[bytes]:
    """The preview of a stored picture, open. Raises FileNotFoundError when the storage has lost
    the picture."""
    name = preview_name(file)
    if not default_storage.exists(name):
        content = _make(file)
        # Of two that come at once, the second is kept under another name, and swept.
        default_storage.save(name, ContentFile(content))
    return default_storage.open(name)


def _make(file: StoredFile) -> bytes:
    with default_storage.open(file.name) as content, Image.open(content) as picture:
        picture.draft(picture.mode, (LONGER_SIDE, LONGER_SIDE))
        small = picture if picture.mode in {"RGB", "RGBA"} else picture.convert("RGB")
        small.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        small.save(out, "WEBP", quality=82, method=3)
    return out.getvalue()
