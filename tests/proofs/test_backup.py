"""R9: what comes back from a backup is what was kept: books, rows and files."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from house.halls import markethall

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the embedded database's own user can reach; pytest keeps its folders shut."""
    folder = Path(tempfile.mkdtemp(prefix="markethall-"))
    yield folder
    shutil.rmtree(folder)


def files_of(data: Path) -> dict[str, bytes]:
    folder = data / "files"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def manifest_of(archive: Path) -> dict[str, object]:
    with tarfile.open(archive) as tar:
        content = tar.extractfile("manifest.json")
        assert content is not None
        return dict(json.load(content))


def test_a_hall_comes_back_whole(place: Path) -> None:
    data, archive, again = place / "hall", place / "hall.tar", place / "again.tar"
    markethall(data, "migrate")
    markethall(data, "seed")
    markethall(data, "backup", str(archive))
    files, kept = files_of(data), manifest_of(archive)
    secrets = (data / "secrets.json").read_text()
    assert files
    assert archive.stat().st_mode & 0o077 == 0
    with pytest.raises(RuntimeError, match="not empty"):
        markethall(data, "restore", str(archive))
    shutil.rmtree(data)
    markethall(data, "restore", str(archive))
    assert files_of(data) == files
    assert (data / "secrets.json").read_text() == secrets
    assert str(kept["checksum"]) in markethall(data, "check-ledger").replace("\n", "")
    # The guards came back too, and a second backup says the same.
    markethall(data, "backup", str(again))
    assert manifest_of(again) == kept


def test_what_is_no_archive_is_refused_before_anything_is_lost(place: Path) -> None:
    data, archive = place / "hall", place / "hall.tar"
    markethall(data, "migrate")
    markethall(data, "create-admin", "--email", "boss@example.com", "--password", "a-long-secret")
    archive.write_bytes(b"no archive")
    with pytest.raises(RuntimeError, match="no archive of Markethall"):
        markethall(data, "restore", "--force", str(archive))
    assert "right" in markethall(data, "check-ledger")


def test_an_archive_without_its_end_is_refused(place: Path) -> None:
    data, archive = place / "hall", place / "hall.tar"
    markethall(data, "migrate")
    markethall(data, "create-admin", "--email", "boss@example.com", "--password", "a-long-secret")
    markethall(data, "backup", str(archive))
    whole = archive.read_bytes()
    with tarfile.open(archive) as tar:
        end = tar.getmember("end.json").offset
    archive.write_bytes(whole[:end] + bytes(1024))
    with pytest.raises(RuntimeError, match="not complete"):
        markethall(data, "restore", "--force", str(archive))
    assert "right" in markethall(data, "check-ledger")
