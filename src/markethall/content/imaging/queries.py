from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from markethall.content.imaging.errors import NoSuchGeneration, NoSuchUpload, NotCompleted
from markethall.content.imaging.models import Generation
from markethall.foundation.files.models import RESULT, UPLOAD, StoredFile

Sort = Literal["newest", "oldest", "favorites"]
_ORDERS: dict[Sort, tuple[str, ...]] = {
    "newest": ("-id",),
    "oldest": ("id",),
    "favorites": ("-is_favorite", "-id"),
}
_START_OF_ID = re.compile(r"[0-9a-f]{8,32}")


def gallery(
    user_id: uuid.UUID, *, search: str = "", status: str = "", sort: Sort = "newest"
) -> tuple[QuerySet[Generation], tuple[str, ...]]:
    """Somebody's pictures, and the order for ``kernel.pagination.paginate``.

    ``search`` is part of the prompt, or an id or its beginning (eight digits at least).
    """
    pictures = Generation.objects.filter(user_id=user_id)
    if status:
        pictures = pictures.filter(status=status)
    if search := search.replace("\x00", "").strip():
        pictures = pictures.filter(Q(prompt__icontains=search) | _begins_with(search))
    return pictures, _ORDERS[sort]


def picture_of(user_id: uuid.UUID, generation_id: uuid.UUID) -> Generation:
    """One of somebody's pictures; raises NoSuchGeneration for everyone else's."""
    found = Generation.objects.filter(pk=generation_id, user_id=user_id).first()
    if found is None:
        raise NoSuchGeneration
    return found


def own_pictures(user_id: uuid.UUID, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of ``ids`` that are somebody's pictures, and still there."""
    found = Generation.objects.filter(pk__in=list(ids), user_id=user_id)
    return set(found.values_list("pk", flat=True))


def upload_of(user_id: uuid.UUID, upload_id: uuid.UUID) -> StoredFile:
    """One of somebody's uploads; raises NoSuchUpload for everyone else's."""
    found = StoredFile.objects.filter(pk=upload_id, owner_id=user_id, purpose=UPLOAD).first()
    if found is None:
        raise NoSuchUpload("This photo is gone. Upload it again.")
    return found


def recent_uploads(user_id: uuid.UUID, limit: int = 8) -> list[StoredFile]:
    """Somebody's latest photos, newest first; the same photo only once."""
    latest = StoredFile.objects.filter(owner_id=user_id, purpose=UPLOAD).order_by("-pk")
    once: dict[str, StoredFile] = {}
    for upload in latest[: limit * 4]:
        once.setdefault(upload.sha256, upload)
    return list(once.values())[:limit]


def unused_files(before: datetime, limit: int = 500) -> list[uuid.UUID]:
    """Uploads and results stored before ``before`` that no generation uses."""
    return list(
        StoredFile.objects.filter(purpose__in=(UPLOAD, RESULT), created_at__lt=before)
        .exclude(Exists(Generation.objects.filter(original=OuterRef("pk"))))
        .exclude(Exists(Generation.objects.filter(result=OuterRef("pk"))))
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )


def file_name(picture: Generation) -> str:
    """What a downloaded picture is called; raises NotCompleted when there is none."""
    if picture.result is None:
        raise NotCompleted("It can be downloaded once it is completed.")
    ending = picture.result.name.rpartition(".")[2]
    return f"plush-{picture.style}-{picture.pk.hex[-8:]}.{ending}"


def _begins_with(search: str) -> Q:
    """Ids that begin with ``search``; none when it cannot be the beginning of one."""
    digits = search.lower().replace("-", "")
    if not _START_OF_ID.fullmatch(digits):
        return Q(pk__in=[])
    first, last = (uuid.UUID(digits.ljust(32, filler)) for filler in "0f")
    return Q(pk__gte=first, pk__lte=last)
