"""Where archives lie: in a file of this machine, or in a bucket. Written and read as a stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from markethall.interfaces.cli.setup import CannotStart, checked_environment

if TYPE_CHECKING:
    from markethall.foundation.files.storage.base import FileStore

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class InFolder:
    """An archive in a file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def size(self) -> int:
        """In bytes. Raises FileNotFoundError."""
        return self.path.stat().st_size

    @contextmanager
    def writer(self) -> Iterator[Any]:
        """Under its name only when it is complete, and for its owner alone."""
        draft = self.path.with_name(self.path.name + ".part")
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as o:
                yield o
                o.flush()
                os.fsync(o.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def stream(self) -> Iterator[Any]:
        with self.path.open("rb") as content:
            yield content


@dataclass(frozen=True, slots=True)
class InBucket:
    """An archive in a bucket, sent and fetched in parts."""

    url: str
    store: FileStore
    name: str

    def __str__(self) -> str:
        return self.url

    def size(self) -> int:
        """In bytes. Raises FileNotFoundError and StorageUnavailable."""
        for entry in self.store.entries(self.name):
            if entry.name == self.name:
                return entry.size
        raise FileNotFoundError(self.url)

    @contextmanager
    def writer(self) -> Iterator[Any]:
        with self.store.writer(self.name) as out:
            yield out

    @contextmanager
    def stream(self) -> Iterator[Any]:
        with self.store.stream(self.name) as content:
            yield content


def place(text: str, *, new: bool = False) -> InFolder | InBucket:
    """Where ``text`` leads: a path, ``s3://bucket/name`` or ``r2://bucket/name``. A new archive
    whose place ends with a slash gets a name of its own. Raises CannotStart."""
    if new and (text.endswith("/") or Path(text).is_dir()):
        text = f"{text.rstrip('/')}/markethall-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.tar"
    parts = urlsplit(text)
    if not parts.scheme:
        return InFolder(Path(text).expanduser())
    name = parts.path.lstrip("/")
    if parts.scheme not in {"s3", "r2"} or not parts.netloc or not name:
        raise CannotStart(f"{text} is no place for an archive: s3://bucket/name.tar, or a path.")
    return InBucket(text, _bucket(parts.scheme, parts.netloc), name)


def _bucket(scheme: str, bucket: str) -> FileStore:
    from markethall.config.storage import archive_options
    from markethall.foundation.files.storage.s3 import S3Store

    return S3Store(**archive_options(checked_environment(), scheme, bucket))


@contextmanager
def progress(verb: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes; tell it how many more were done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(verb, total=total)
        yield lambda size: bar.advance(task, size)
