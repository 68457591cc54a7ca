"""Writes: files go to the storage first and to their row after, and come back the other way."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from markethall.foundation.files.models import UPLOAD, StoredFile
from markethall.foundation.files.pictures import MAX_BYTES, clean_picture
from markethall.foundation.files.previews import preview_name
from markethall.foundation.files.scan import scan
from markethall.kernel import clock
from markethall.kernel.ids import new_id

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/zip": "zip",
}


def store_file(
    content: bytes,
    *,
    purpose: str,
    content_type: str,
    owner_id: uuid.UUID | None,
    width: int | None = None,
    height: int | None = None,
) -> StoredFile:
    """Store ``content`` under a random name, then its row.

    Call it outside a transaction where you can: the storage is a provider. A crash in between
    leaves a file without a row, which ``sweep_storage`` removes.
    """
    file_id = new_id()
    name = f"{purpose}/{file_id.hex[-2:]}/{uuid.uuid4().hex}.{_EXTENSIONS[content_type]}"
    default_storage.save(name, ContentFile(content))
    return StoredFile.objects.create(
        id=file_id,
        owner_id=owner_id,
        purpose=purpose,
        name=name,
        content_type=content_type,
        size=len(content),
        width=width,
        height=height,
        sha256=hashlib.sha256(content).hexdigest(),
        created_at=clock.now(),
    )


def accept_picture(
    file: BinaryIO, *, size: int, name: str, declared_type: str, owner_id: uuid.UUID
) -> StoredFile:
    """Check somebody's upload and store what is clean of it. Call it outside a transaction.

    Raises what ``scan`` and ``clean_picture`` raise.
    """
    if size <= MAX_BYTES:
        scan(file)
    picture = clean_picture(file, size=size, name=name, declared_type=declared_type)
    return store_file(
        picture.content,
        purpose=UPLOAD,
        content_type=picture.content_type,
        owner_id=owner_id,
        width=picture.width,
        height=picture.height,
    )


def read_file(file: StoredFile) -> bytes:
    """The content of a stored file; raises FileNotFoundError when the storage has lost it."""
    with default_storage.open(file.name) as content:
        return bytes(content.read())


def delete_file(file: StoredFile) -> None:
    """Delete the row now, the content and its preview when the transaction commits."""
    names = [file.name, preview_name(file)]
    file.delete()
    for name in names:
        transaction.on_commit(partial(default_storage.delete, name), robust=True)


def sweep_storage(before: datetime) -> int:
    """Delete what the storage holds without a row since ``before`` (real time): left by a crash
    between storing and recording. Returns how many files went."""
    swept = 0
    for folder in _folders():
        names = [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
        known = set(StoredFile.objects.filter(name__in=names).values_list("name", flat=True))
        for name in names:
            if name not in known and default_storage.get_modified_time(name) < before:
                default_storage.delete(name)
                swept += 1
    return swept


def _folders() -> Iterator[str]:
    """``purpose/xx``: where files lie."""
    with suppress(FileNotFoundError):
        for purpose in default_storage.listdir("")[0]:
            for shard in default_storage.listdir(purpose)[0]:
                yield f"{purpose}/{shard}"
