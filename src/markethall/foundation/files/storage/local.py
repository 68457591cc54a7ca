"""Files in a folder of this machine."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.storage.base import Entry, Readable

log = structlog.get_logger(__name__)
_CHUNK = 1024 * 1024
_DRAFT = ".part"


class LocalStore(FileSystemStorage):
    """A folder. Content appears under its name when it is complete and on the disk."""

    is_remote = False

    def put(self, name: str, content: Readable, *, content_type: str) -> None:
        with self.writer(name) as out:
            shutil.copyfileobj(content, out, _CHUNK)

    @contextmanager
    def writer(self, name: str) -> Iterator[BinaryIO]:
        with _reached():
            path = Path(self.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_DRAFT}")
            mine = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                with os.fdopen(mine, "wb") as out:
                    yield out
                    out.flush()
                    os.fsync(out.fileno())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)

    @contextmanager
    def stream(self, name: str) -> Iterator[BinaryIO]:
        with _reached(), Path(self.path(name)).open("rb") as content:
            yield content

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        with _reached():
            return super().open(name, mode)

    def remove(self, name: str) -> None:
        with _reached():
            Path(self.path(name)).unlink(missing_ok=True)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        top = Path(self.location)
        for folder, _, names in os.walk(top):
            for found in names:
                path = Path(folder) / found
                name = path.relative_to(top).as_posix()
                # What is deleted in the meantime is not told of.
                with suppress(FileNotFoundError):
                    state = path.stat()
                    if name.startswith(prefix):
                        yield Entry(
                            name, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC)
                        )

    def link(self, name: str, *, seconds: int, content_type: str, disposition: str) -> str:
        return ""

    def link_origin(self) -> str:
        return ""

    def whereabouts(self) -> str:
        return str(self.location)


@contextmanager
def _reached() -> Iterator[None]:
    """A disk that is full or gone is an outage; a file that is missing is not."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        log.error("file storage fails", storage="local", error=str(error))
        raise StorageUnavailable from error
