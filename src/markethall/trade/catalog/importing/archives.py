"""A file to import as it arrives: bare, or packed together with its pictures."""

from __future__ import annotations

import errno
import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from markethall.foundation.files.pictures import MAX_BYTES
from markethall.kernel.errors import Invalid

MAX_TEXT = 200 * 1024 * 1024  # bytes of the CSV or NDJSON
MAX_ALL = 4 * 1024**3  # bytes of everything in an archive, unpacked
MAX_MEMBERS = 50_000
MAX_HEADER = 1024 * 1024  # bytes before a member, for its name and the like
_TEXTS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
ResultT = TypeVar("ResultT")
# How the libraries say that an archive is not what it claims to be.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
)
_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(slots=True)
class Opened:
    """``kind`` is ``csv`` or ``ndjson``, ``text`` the path of that file; ``pictures`` are paths on
    the disk by the path within the archive or folder."""

    kind: str
    text: Path
    pictures: dict[str, Path] = field(default_factory=dict)

    def picture(self, path: str) -> Path | None:
        """A picture by its path, relative to the text."""
        steps = [step for step in path.replace("\\", "/").split("/") if step not in {"", "."}]
        return None if ".." in steps else self.pictures.get("/".join(steps))


@contextmanager
def opened(path: Path, name: str = "") -> Iterator[Opened]:
    """Open a .csv or .ndjson file, a folder with one, or a .tar.gz or .zip of such a folder, as
    ``sanity datasets export`` writes it.

    ``name`` is what the file is called where ``path`` does not say. Pictures are unpacked to a
    folder that goes with the block, under names of our own. Raises Invalid.
    """
    called = (name or path.name).lower()
    if path.is_dir():
        yield _folder(path)
    elif called.endswith((".tar.gz", ".tgz", ".tar", ".zip")):
        with tempfile.TemporaryDirectory() as folder:
            yield _unpacked(path, called, Path(folder))
    elif Path(called).suffix in _TEXTS:
        if path.stat().st_size > MAX_TEXT:
            raise _too_much()
        beside = {} if name else _pictures_in(path.parent)
        yield Opened(_TEXTS[Path(called).suffix], path, beside)
    else:
        raise Invalid.field("file", "Import a .csv, .ndjson, .tar.gz or .zip file.")


def _folder(path: Path) -> Opened:
    texts = [each for each in sorted(path.iterdir()) if each.suffix.lower() in _TEXTS]
    if len(texts) != 1:
        raise Invalid.field("file", "The folder shall hold one .csv or .ndjson file.")
    return Opened(_TEXTS[texts[0].suffix.lower()], texts[0], _pictures_in(path))


def _pictures_in(folder: Path) -> dict[str, Path]:
    """Pictures of a folder and of those in it."""
    found = [*folder.glob("*"), *folder.glob("*/*")]
    return {
        each.relative_to(folder).as_posix(): each
        for each in found
        if each.suffix.lower() in _PICTURES and each.is_file()
    }


class _PlainTarInfo(tarfile.TarInfo):
    """A member whose header is as large as names need; a packed one could be larger than memory."""

    _HEADERS = (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        is_large = self.type in self._HEADERS and self.size > MAX_HEADER
        if is_large or self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("no such header is written for products")
        return super()._proc_member(tar)  # type: ignore[misc]

    def _proc_gnusparse_10(self, *_: Any) -> None:
        raise tarfile.ReadError("no sparse file is written for products")


def _unpacked(path: Path, called: str, folder: Path) -> Opened:
    texts: dict[str, Path] = {}
    pictures: dict[str, Path] = {}
    left, members = MAX_ALL, _members(path, called)
    number = 0
    while member := _read(partial(next, members, None)):
        number += 1
        if number > MAX_MEMBERS:
            raise _too_much()
        name, content, passed = member
        suffix = PurePosixPath(name).suffix.lower()
        wanted = texts if suffix in _TEXTS else pictures if suffix in _PICTURES else None
        if wanted is None or content is None:
            left -= passed
            if left < 0:
                raise _too_much()
            continue
        most = min(left, MAX_TEXT if wanted is texts else MAX_BYTES)
        target = folder / f"{number}{suffix}"
        left -= _copied(content, target, most)
        wanted[name] = target
    # macOS puts files that begin with a dot and underscore into archives.
    texts = {name: each for name, each in texts.items() if not name.split("/")[-1].startswith(".")}
    if len(texts) != 1:
        raise Invalid.field("file", "The archive shall hold one .csv or .ndjson file.")
    ((name, text),) = texts.items()
    base = name.rpartition("/")[0]
    within = f"{base}/" if base else ""
    return Opened(
        _TEXTS[text.suffix],
        text,
        {each.removeprefix(within): found for each, found in pictures.items()},
    )


def _members(path: Path, called: str) -> Iterator[tuple[str, IO[bytes] | None, int]]:
    """Members of an archive, one after the other: the name, the content of a plain file, and how
    many bytes have to be unpacked to pass it over."""
    if called.endswith(".zip"):
        with zipfile.ZipFile(path) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    with packed.open(info) as content:
                        yield _tidy(info.filename), content, 0
        return
    with tarfile.open(path, "r|*", tarinfo=_PlainTarInfo) as packed_tar:
        for member in packed_tar:
            content_of = packed_tar.extractfile(member) if member.isreg() else None
            yield _tidy(member.name), content_of, max(0, member.size) if content_of else 0


def _tidy(name: str) -> str:
    return "/".join(step for step in name.split("/") if step not in {"", "."})


def _copied(content: IO[bytes], target: Path, most: int) -> int:
    """Copy at most ``most`` bytes; returns how many. Raises Invalid for more."""
    size = 0
    with target.open("wb") as out:
        while chunk := _read(partial(content.read, 1024 * 1024)):
            size += len(chunk)
            if size > most:
                raise _too_much()
            out.write(chunk)
    return size


def _read(step: Callable[[], ResultT]) -> ResultT:
    """One step of reading an archive; raises Invalid for what its sender has to mend. A fault in
    writing what was read is ours, and not among these."""
    try:
        return step()
    except _DAMAGED as error:
        raise Invalid.field("file", "This archive is damaged.") from error
    except OSError as error:
        if error.errno not in {None, errno.EINVAL}:
            raise  # the disk, not the archive
        raise Invalid.field("file", "This archive is damaged.") from error
    except RuntimeError as error:  # what zipfile says of a password
        raise Invalid.field("file", "This archive is locked by a password.") from error


def _too_much() -> Invalid:
    return Invalid.field(
        "file", "This is more than is imported at once: 200 MB of text, 10 MB a picture."
    )
