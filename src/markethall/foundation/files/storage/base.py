"""What the rest of Markethall asks of a storage."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.core.files.base import File

IN_MEMORY = 2 * 1024 * 1024  # bytes of a file being read; the rest waits on the disk


class Readable(Protocol):
    """An open stream of bytes; it cannot be rewound."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    """Where bytes can be put one after the other."""

    def write(self, data: bytes, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """What a storage holds under a name; ``size`` in bytes, ``modified_at`` by its own clock."""

    name: str
    size: int
    modified_at: datetime


class FileStore(Protocol):
    """A storage. Every verb raises StorageUnavailable, and reading FileNotFoundError."""

    is_remote: bool

    def put(self, name: str, content: Readable, *, content_type: str) -> None:
        """Store all of ``content`` under ``name``, whatever was there."""

    def writer(self, name: str) -> AbstractContextManager[Writable]:
        """Store what is written within the block; nothing when the block raises."""

    def stream(self, name: str) -> AbstractContextManager[Readable]:
        """The content, as it comes."""

    def open(self, name: str) -> File[Any]:
        """The content, as a file that can be rewound."""

    def remove(self, name: str) -> None:
        """Delete; a name without content is no error."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All that lies here under names that begin with ``prefix``, page by page."""

    def link(self, name: str, *, seconds: int, content_type: str, disposition: str) -> str:
        """A signed address that gives the content for ``seconds``; empty when we serve it."""

    def link_origin(self) -> str:
        """Scheme and host of those addresses; empty when there are none."""

    def whereabouts(self) -> str:
        """For operators: which folder, bucket or account this is."""


def rewindable(content: Readable, name: str) -> File[Any]:
    """All of ``content`` as a file, on the disk where it is large."""
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    try:
        shutil.copyfileobj(content, spool)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return File(spool, name=name)
