"""Links to files: signed by us, good for a while, for whoever holds them."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.core import signing

from markethall.kernel import clock
from markethall.kernel.errors import NotFound

GOOD_FOR = timedelta(hours=1)


def signed_link(file_id: uuid.UUID, *, download_as: str = "") -> str:
    """An absolute link to a file's content that stops working after ``GOOD_FOR``.

    Links given out within the same ten minutes are equal, so that browsers can keep the picture.
    With ``download_as`` the browser saves the file under that name.
    """
    slot = int(clock.now().timestamp()) // 600 * 600
    ends = slot + int(GOOD_FOR.total_seconds()) + 600
    token = _signer().sign_object([str(file_id), ends, download_as])
    return f"{settings.SITE_URL}/files/{token}"


def open_link(token: str) -> tuple[uuid.UUID, str]:
    """The file's id and download name of a link's token; raises NotFound once it has expired."""
    try:
        file_id, ends, download_as = _signer().unsign_object(token)
    except signing.BadSignature as error:
        raise NotFound("This link is not one of ours.") from error
    if clock.now().timestamp() > ends:
        raise NotFound("This link has expired. Reload the page that showed it.")
    return uuid.UUID(file_id), str(download_as)


def _signer() -> signing.Signer:
    """Without a time stamp of its own, so that equal links are equal."""
    return signing.Signer(salt="markethall.files")
