from __future__ import annotations

import hashlib
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from markethall.foundation.files.models import StoredFile
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
    leaves a file without a row, which ``sweep`` removes.
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


def read_file(file: StoredFile) -> bytes:
    """The content of a stored file; raises FileNotFoundError when the storage has lost it."""
    with default_storage.open(file.name) as content:
        return bytes(content.read())


def delete_file(file: StoredFile) -> None:
    """Delete the row now and the content when the transaction commits."""
    name = file.name
    file.delete()
    transaction.on_commit(lambda: default_storage.delete(name))
