"""A photo arrives: counted first, then checked and stored."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import BinaryIO

from markethall.foundation.files.actions import accept_picture
from markethall.foundation.files.models import StoredFile
from markethall.kernel.throttle import Limit, count_try

UPLOADS = Limit(60, timedelta(minutes=1))


def take_photo(
    *, user_id: uuid.UUID, file: BinaryIO, size: int, name: str, declared_type: str
) -> StoredFile:
    """Store somebody's photo of ``size`` bytes, clean. Call it outside a transaction.

    Raises TooManyRequests, and what ``accept_picture`` raises.
    """
    count_try(f"upload:{user_id}", UPLOADS)
    return accept_picture(file, size=size, name=name, declared_type=declared_type, owner_id=user_id)
