"""Small pictures for lists: made when first asked for, and kept beside the picture."""

from __future__ import annotations

import io

from PIL import Image

from markethall.foundation.files.actions import open_file, preview_name, where_it_lies
from markethall.foundation.files.models import StoredFile

LONGER_SIDE = 640  # pixels: a card of 320 on a screen of double density
CONTENT_TYPE = "image/webp"


def ensure_preview(file: StoredFile) -> str:
    """The name under which the preview lies in the storage of a picture, made if it is missing.

    Raises FileNotFoundError when the storage has lost the picture, and StorageUnavailable.
    """
    if not file.has_preview:
        make_preview(file)
    return preview_name(file)


def make_preview(file: StoredFile) -> None:
    """Make the preview of a picture, also when there is one."""
    content = _small(file)
    # Of two that come at once, the second writes the same over the first.
    where_it_lies(
        file,
        lambda store: store.put(preview_name(file), io.BytesIO(content), content_type=CONTENT_TYPE),
    )
    StoredFile.objects.filter(pk=file.pk, storage=file.storage).update(has_preview=True)
    file.has_preview = True


def _small(file: StoredFile) -> bytes:
    with open_file(file) as content, Image.open(content) as picture:
        picture.draft(picture.mode, (LONGER_SIDE, LONGER_SIDE))
        small = picture if picture.mode in {"RGB", "RGBA"} else picture.convert("RGB")
        small.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        small.save(out, "WEBP", quality=82, method=3)
    return out.getvalue()
