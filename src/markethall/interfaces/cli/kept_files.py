"""The stored files within an archive, from whichever storage each lies in, one after the other."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

FOLDER = "files"
LOCAL = "local"
_BATCH = 500


@dataclass
class Kept:
    """What went into an archive or came out of it: ``missing`` and ``damaged`` are files whose
    content was not there, or not what was once stored."""

    files: int = 0
    bytes: int = 0
    missing: int = 0
    damaged: int = 0


class _Hashed:
    """A stream that remembers what went through."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self._content.read(size)
        self._digest.update(chunk)
        return chunk

    def checksum(self) -> str:
        return self._digest.hexdigest()


def list_files(index: Path, *, buckets: bool) -> tuple[int, int]:
    """Write which files there are into ``index``, to be called in the snapshot of the dump.
    Returns how many bytes those have that belong into the archive, and how many files do not."""
    from markethall.foundation.files.models import StoredFile

    total = elsewhere = 0
    with index.open("w") as out:
        for file in StoredFile.objects.order_by("pk").iterator():
            if not buckets and file.storage != LOCAL:
                elsewhere += 1
                continue
            total += file.size
            out.write(json.dumps([str(file.pk), file.storage, file.name, file.has_preview]) + "\n")
    return total, elsewhere


def write_files(tar: tarfile.TarFile, index: Path, advance: Callable[[int], None]) -> Kept:
    """Add every listed file with its preview. Raises StorageUnavailable."""
    from markethall.foundation.files.actions import preview_name
    from markethall.foundation.files.models import StoredFile

    kept = Kept()
    with index.open() as lines:
        for line in lines:
            pk, storage, name, has_preview = json.loads(line)
            # What has been deleted or moved since the snapshot is looked for by its new row.
            file = StoredFile.objects.filter(pk=pk).first()
            found = file and _add(tar, f"{FOLDER}/{storage}/{name}", file, name)
            if not file or found is None:
                kept.missing += 1
                continue
            if has_preview:
                preview = preview_name(file)
                _add(tar, f"{FOLDER}/{storage}/{preview}", file, preview)
            kept.damaged += found != file.sha256
            kept.files += 1
            kept.bytes += file.size
            advance(file.size)
    return kept


def _add(tar: tarfile.TarFile, member: str, file: Any, name: str) -> str | None:
    """The checksum of what was added; None when it is not there."""
    from markethall.foundation.files.actions import where_it_lies

    try:
        content = where_it_lies(file, lambda store: store.open(name))
    except FileNotFoundError:
        return None
    with content:
        info = tarfile.TarInfo(member)
        info.size = content.seek(0, 2)
        info.mode = 0o600
        content.seek(0)
        hashed = _Hashed(content)
        tar.addfile(info, hashed)  # type: ignore[arg-type]
        return hashed.checksum()


def take_file(member: tarfile.TarInfo, content: IO[bytes], folder: Path, seen: IO[str]) -> None:
    """Put one file where it belongs, and note it in ``seen``: what lay in a folder waits in
    ``folder``, what lay in a bucket goes there at once. That overwrites nothing else: names are
    never used twice. A storage that is no longer set up is replaced by the chosen one.

    Raises StorageUnavailable, and ValueError for a name that leads out of there.
    """
    from markethall.foundation.files.actions import content_type_of
    from markethall.foundation.files.storage import registry

    _, wanted, name = member.name.split("/", 2)
    if ".." in name.split("/") or name.startswith("/") or not member.isreg():
        raise ValueError(f"{member.name} is no name of ours")
    went = wanted if wanted in registry.names() else registry.chosen()
    hashed = _Hashed(content)
    if went == LOCAL:
        _put_aside(folder / name, hashed)
    else:
        registry.store_named(went).put(name, hashed, content_type=content_type_of(name))
    seen.write(json.dumps([name, hashed.checksum(), wanted, went]) + "\n")


def _put_aside(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        path.chmod(0o600)
        while chunk := content.read(1024 * 1024):
            out.write(chunk)


def compare(seen: Path, *, elsewhere: int) -> Kept:
    """Let the restored rows name where their files went, and compare those with the rows;
    ``elsewhere`` is how many files the archive was not to hold."""
    from markethall.foundation.files.models import StoredFile

    kept = Kept()
    with seen.open() as lines:
        while batch := [json.loads(line) for line in islice(lines, _BATCH)]:
            checksums = {name: checksum for name, checksum, _, _ in batch}
            files = StoredFile.objects.filter(name__in=checksums)
            for file in files:
                kept.files += 1
                kept.bytes += file.size
                kept.damaged += checksums[file.name] != file.sha256
            for storage, names in _gone_elsewhere(batch):
                StoredFile.objects.filter(name__in=names).update(storage=storage)
    kept.missing = StoredFile.objects.count() - kept.files - elsewhere
    return kept


def _gone_elsewhere(batch: list[list[str]]) -> Iterator[tuple[str, list[str]]]:
    for storage in {went for _, _, wanted, went in batch if went != wanted}:
        yield storage, [name for name, _, wanted, went in batch if went == storage != wanted]
