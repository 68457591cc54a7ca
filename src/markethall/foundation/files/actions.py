"""Writes: files go to the storage first and to their row after, and come back the other way."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, TypeVar

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from markethall.foundation.files.models import UPLOAD, StorageRun, StoredFile
from markethall.foundation.files.pictures import MAX_BYTES, clean_picture
from markethall.foundation.files.scan import scan
from markethall.foundation.files.storage import registry
from markethall.foundation.files.storage.base import Entry, FileStore
from markethall.kernel import clock, jobs
from markethall.kernel.ids import new_id
from markethall.kernel.rows import insert

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "application/x-ndjson": "ndjson",
    "text/csv": "csv",
}

DELETE_JOB = "delete_stored"
# A file younger than this may still be about to get its row.
YOUNG = timedelta(hours=1)
_BATCH = 1000
# What we have named ourselves. Whatever else lies beside it is not ours to sweep.
_OUR_NAME = re.compile(r"[a-z]+/[0-9a-f]{2}/[0-9a-f]{32}\.[a-z]+(\.[0-9a-f]{32}\.part)?")
ResultT = TypeVar("ResultT")


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
    leaves a file without a row, which ``sweep_storage`` removes. Raises StorageUnavailable.
    """
    file_id = new_id()
    name = f"{purpose}/{file_id.hex[-2:]}/{uuid.uuid4().hex}.{_EXTENSIONS[content_type]}"
    storage = registry.chosen()
    registry.store_named(storage).put(name, io.BytesIO(content), content_type=content_type)
    file = StoredFile(
        id=file_id,
        storage=storage,
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
    insert(file)
    return file


def accept_picture(
    file: BinaryIO,
    *,
    size: int,
    name: str,
    declared_type: str,
    owner_id: uuid.UUID | None,
    purpose: str = UPLOAD,
) -> StoredFile:
    """Check somebody's upload and store what is clean of it. Call it outside a transaction.

    Raises what ``scan``, ``clean_picture`` and ``store_file`` raise.
    """
    if size <= MAX_BYTES:
        scan(file)
    picture = clean_picture(file, size=size, name=name, declared_type=declared_type)
    return store_file(
        picture.content,
        purpose=purpose,
        content_type=picture.content_type,
        owner_id=owner_id,
        width=picture.width,
        height=picture.height,
    )


def read_file(file: StoredFile) -> bytes:
    """The content of a stored file. Raises FileNotFoundError when the storage has lost it, and
    StorageUnavailable."""
    return where_it_lies(file, partial(_content, name=file.name))


def open_file(file: StoredFile) -> File[Any]:
    """The same as an open file, for what is large."""
    return where_it_lies(file, lambda store: store.open(file.name))


def where_it_lies(file: StoredFile, act: Callable[[FileStore], ResultT]) -> ResultT:
    """Do ``act`` with the storage that holds a file, also when it has been moved meanwhile."""
    try:
        return act(registry.store_named(file.storage))
    except FileNotFoundError:
        moved = StoredFile.objects.filter(pk=file.pk).exclude(storage=file.storage).first()
        if moved is None:
            raise
        file.storage, file.has_preview = moved.storage, moved.has_preview
        return act(registry.store_named(file.storage))


def _content(store: FileStore, name: str) -> bytes:
    with store.stream(name) as content:
        return content.read()


def delete_file(file: StoredFile) -> None:
    """Delete the row now, and the content with its preview once the transaction commits: at
    once in a folder, by a job in a storage that is somewhere else."""
    names = [file.name, preview_name(file)]
    storage = file.storage
    file.delete()
    if registry.store_named(storage).is_remote:
        jobs.enqueue(DELETE_JOB, storage=storage, names=names)
    else:
        transaction.on_commit(partial(delete_content, storage, names), robust=True)


def delete_content(storage: str, names: Sequence[str]) -> None:
    """Delete what lies under ``names``; what is gone already is no error."""
    store = registry.store_named(storage)
    for name in names:
        store.remove(name)


def content_type_of(name: str) -> str:
    """The type of a file that we have named."""
    ending = name.rpartition(".")[2]
    return next(kind for kind, extension in _EXTENSIONS.items() if extension == ending)


def preview_name(file: StoredFile) -> str:
    """Where the preview of a file lies in its storage."""
    return f"preview/{file.pk.hex[-2:]}/{file.pk.hex}.webp"


def sweep_storage(before: datetime) -> int:
    """Delete what lies in any storage since ``before`` (real time) without a row: left by a crash
    between storing and recording. Returns how many files went.

    What is younger than an hour stays in any case, and so do names that we did not give.
    """
    before = min(before, timezone.now() - YOUNG)
    swept = {name: _sweep(name, before) for name in registry.names()}
    remember_run("sweep", swept=swept)
    return sum(swept.values())


def _sweep(storage: str, before: datetime) -> int:
    store = registry.store_named(storage)
    swept = 0
    entries = store.entries()
    while batch := list(islice(entries, _BATCH)):
        old = [found for found in batch if found.modified_at < before]
        ours = [found for found in old if _OUR_NAME.fullmatch(found.name)]
        for name in _without_row(storage, ours):
            store.remove(name)
            swept += 1
    return swept


def _without_row(storage: str, entries: Sequence[Entry]) -> list[str]:
    """Those that no row speaks of. A copy that a move has left behind is spoken of."""
    names = {entry.name for entry in entries}
    known = set(StoredFile.objects.filter(name__in=names).values_list("name", flat=True))
    previews = {name for name in names if name.startswith("preview/")}
    ids = [uuid.UUID(hex=name.split("/")[2].split(".")[0]) for name in previews]
    shown = StoredFile.objects.filter(pk__in=ids, has_preview=True, storage=storage)
    known |= {preview_name(file) for file in shown.only("pk")}
    return sorted(names - known)


def remember_run(kind: str, **data: Any) -> None:
    """Remember a sweep, a move or a backup, in place of the one before."""
    StorageRun.objects.update_or_create(kind=kind, defaults={"at": clock.now(), "data": data})
