"""Links to files: signed by us, good for a while, for whoever holds them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing

from markethall.kernel import clock
from markethall.kernel.errors import NotFound

GOOD_FOR = timedelta(hours=1)
_SLOT = timedelta(minutes=10)
LONGEST = GOOD_FOR + _SLOT  # that a link works after it was given out


def signed_link(file_id: uuid.UUID, *, download_as: str = "") -> str:
    """An absolute link to a file's content that stops working after ``GOOD_FOR``.

    Links given out within the same ten minutes are equal, so that browsers can keep the picture.
    With ``download_as`` the browser saves the file under that name.
    """
    slot = int(_SLOT.total_seconds())
    ends = int(clock.now().timestamp()) // slot * slot + int(LONGEST.total_seconds())
    token = _signer().sign_object([str(file_id), ends, download_as])
    return f"{settings.SITE_URL}/files/{token}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link says: which file, what the browser shall call it, and how long it still works
    (seconds)."""

    file_id: uuid.UUID
    download_as: str
    seconds: int


def open_link(token: str) -> Opened:
    """What a link's token says; raises NotFound once it has expired."""
    try:
        file_id, ends, download_as = _signer().unsign_object(token)
    except signing.BadSignature as error:
        raise NotFound("This link is not one of ours.") from error
    left = ends - int(clock.now().timestamp())
    if left <= 0:
        raise NotFound("This link has expired. Reload the page that showed it.")
    return Opened(uuid.UUID(file_id), str(download_as), left)


def _signer() -> signing.Signer:
    """Without a time stamp of its own, so that equal links are equal."""
    return signing.Signer(salt="markethall.files")
