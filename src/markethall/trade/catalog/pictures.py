"""Where pictures of goods can be seen: addresses that stay, for everybody."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from django.conf import settings

from markethall.foundation.files.models import StoredFile
from markethall.trade.catalog.models import PictureSize

WIDTHS = (320, 640, 960, 1280)
MAX_PICTURES = 30  # of one product
MAX_ALT = 200
SHOWN = re.compile(r"[a-z0-9-]{1,40}:[a-z0-9-]{1,40}")


def picture_path(image_id: uuid.UUID, width: int) -> str:
    """The path of a picture in one of ``WIDTHS``. What lies there never changes."""
    return f"/media/products/{image_id}/{width}.webp"


def picture_url(image_id: uuid.UUID, width: int) -> str:
    """The same as an absolute address."""
    return f"{settings.SITE_URL}{picture_path(image_id, width)}"


def file_in_width(image_id: uuid.UUID, width: int) -> StoredFile | None:
    """The file of a picture in a width: the largest that is no wider, else the smallest there is.
    None when there is no such picture, or a width that is not one of ``WIDTHS``."""
    if width not in WIDTHS:
        return None
    sizes: Sequence[PictureSize] = list(
        PictureSize.objects.filter(image=image_id).select_related("file").order_by("width")
    )
    narrower = [size for size in sizes if size.width <= width]
    return (narrower[-1] if narrower else sizes[0]).file if sizes else None
