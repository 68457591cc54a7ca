"""Moves files from one storage to another while the hall runs.

A file is copied, read back and compared, then its row names the new place, and only then the old
copy goes: whoever asks in between finds it at the one place or at the other.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from itertools import islice
from typing import Any

from django.db.models import Sum

from markethall.foundation.audit.actions import record
from markethall.foundation.files.actions import delete_content, preview_name, remember_run
from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.links import LONGEST
from markethall.foundation.files.models import StoredFile
from markethall.foundation.files.previews import CONTENT_TYPE
from markethall.foundation.files.storage import registry
from markethall.foundation.files.storage.base import FileStore, Readable, Writable
from markethall.kernel import jobs
from markethall.kernel.locking import Busy, alone

REMOVE_JOB = "remove_moved"
# The storage's own links, which we have given out, still lead to the old copies for so long.
LINKS_OUT = LONGEST + timedelta(minutes=5)
_ONE_MOVE = "files.move"
_BATCH, _LISTED = 100, 1000
_CHUNK = 1024 * 1024  # bytes
_IN_MEMORY = 2 * 1024 * 1024  # bytes; the rest of a file waits on the disk


class Outcome(Enum):
    """What became of one file."""

    MOVED = "moved"
    LOST = "it is not there"
    DAMAGED = "its content is not what was stored"
    UNFAITHFUL = "the new storage did not give back what it was given"


@dataclass
class Move:
    """What a run has done. Of the old copies, ``removed`` went at once, and ``to_be_removed`` go by
    a job once no link leads to them. ``faults`` are the files that stayed, and why."""

    source: str
    target: str
    moved: int = 0
    bytes: int = 0
    removed: int = 0
    to_be_removed: int = 0
    faults: list[tuple[str, Outcome]] = field(default_factory=list)


class MoveStopped(Exception):
    """A storage cannot be reached, or another run moves files. What was moved stays moved; run it
    again."""


class _Unlike(Exception):
    """What was read is not what the row says."""


def waiting(source: str) -> tuple[int, int]:
    """How many files lie in a storage, and how many bytes they have together."""
    files = StoredFile.objects.filter(storage=source)
    return files.count(), files.aggregate(bytes=Sum("size"))["bytes"] or 0


def move_files(
    run: Move, *, keep_source: bool, at_once: int, tell: Callable[[StoredFile], None]
) -> None:
    """Move every file that lies in ``run.source``, ``at_once`` of them side by side, and note in
    ``run`` what became of them. Calls ``tell`` after each.

    It can be broken off and run again. Raises MoveStopped.
    """
    try:
        with alone(_ONE_MOVE):
            if not keep_source:
                _remove_left_behind(run)
            _move_all(run, keep_source=keep_source, at_once=at_once, tell=tell)
    except Busy:
        raise MoveStopped("Files are being moved already.") from None
    except StorageUnavailable as error:
        raise MoveStopped(str(error.__cause__ or error.detail)) from error
    finally:
        done: dict[str, Any] = {
            "source": run.source,
            "target": run.target,
            "moved": run.moved,
            "bytes": run.bytes,
            "faults": len(run.faults),
        }
        remember_run("move", **done)
        record("files.move", actor_id=None, **done)


def remove_moved(storage: str, names: Sequence[str]) -> bool:
    """Remove what a move has left behind under ``names``; False while files are being moved.

    What has come back in the meantime stays.
    """
    try:
        with alone(_ONE_MOVE):
            here = StoredFile.objects.filter(storage=storage, name__in=names)
            kept = set(here.values_list("name", flat=True))
            delete_content(storage, [name for name in names if name not in kept])
    except Busy:
        return False
    return True


def _move_all(
    run: Move, *, keep_source: bool, at_once: int, tell: Callable[[StoredFile], None]
) -> None:
    source, target = registry.store_named(run.source), registry.store_named(run.target)
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        for batch in _batches(run.source):
            # The database is asked by this thread alone.
            copying = [(file, pool.submit(_copy, file, source, target)) for file in batch]
            old: list[str] = []
            try:
                for file, copied in copying:
                    if _settle(run, file, *copied.result()):
                        old.append(file.name)
                    tell(file)
            finally:
                for _, copied in copying:
                    copied.cancel()
                if not keep_source:
                    _remove(run, old)


def _batches(source: str) -> Iterator[list[StoredFile]]:
    last = uuid.UUID(int=0)
    files = StoredFile.objects.filter(storage=source).order_by("pk")
    while batch := list(files.filter(pk__gt=last)[:_BATCH]):
        yield batch
        last = batch[-1].pk


def _copy(file: StoredFile, source: FileStore, target: FileStore) -> tuple[Outcome, bool]:
    """Copy a file; what came of it, and whether its preview went along."""
    try:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as content:
            with source.stream(file.name) as found:
                _check(file, found, into=content)
            content.seek(0)
            target.put(file.name, content, content_type=file.content_type)
    except FileNotFoundError:
        return Outcome.LOST, False
    except _Unlike:
        return Outcome.DAMAGED, False
    if not _is_whole(file, target):
        return Outcome.UNFAITHFUL, False
    return Outcome.MOVED, file.has_preview and _copy_preview(file, source, target)


def _copy_preview(file: StoredFile, source: FileStore, target: FileStore) -> bool:
    """Without its preview a file is none the worse: it is made again."""
    name = preview_name(file)
    try:
        with source.open(name) as content:
            target.put(name, content, content_type=CONTENT_TYPE)
    except FileNotFoundError:
        return False
    return True


def _is_whole(file: StoredFile, store: FileStore) -> bool:
    try:
        with store.stream(file.name) as content:
            _check(file, content)
    except (FileNotFoundError, _Unlike):
        return False
    return True


def _check(file: StoredFile, content: Readable, into: Writable | None = None) -> None:
    """Raise _Unlike unless size and checksum are those of the row."""
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if into:
            into.write(chunk)
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise _Unlike(file.name)


def _settle(run: Move, file: StoredFile, outcome: Outcome, has_preview: bool) -> bool:
    """Let the row name the new place; whether the old copy can go."""
    here = StoredFile.objects.filter(pk=file.pk, storage=run.source)
    if outcome is not Outcome.MOVED:
        if here.exists():
            run.faults.append((file.name, outcome))
        return False
    if not here.update(storage=run.target, has_preview=has_preview):
        # Deleted by its owner in the meantime.
        delete_content(run.target, [file.name, preview_name(file)])
        return False
    run.moved += 1
    run.bytes += file.size
    return True


def _remove_left_behind(run: Move) -> None:
    """Remove the copies that an earlier run has left, broken off or told to keep them."""
    target = registry.store_named(run.target)
    entries = registry.store_named(run.source).entries()
    while batch := list(islice(entries, _LISTED)):
        names = [entry.name for entry in batch]
        moved = StoredFile.objects.filter(storage=run.target, name__in=names)
        _remove(run, [file.name for file in moved if _is_whole(file, target)])


def _remove(run: Move, names: Sequence[str]) -> None:
    """A preview that stays behind is swept with what has no row."""
    if not names:
        return
    if registry.store_named(run.source).is_remote:
        jobs.enqueue(REMOVE_JOB, delay=LINKS_OUT, storage=run.source, names=list(names))
        run.to_be_removed += len(names)
    else:
        delete_content(run.source, names)
        run.removed += len(names)
