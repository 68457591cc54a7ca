"""Archives that cannot be read are refused; a fault of our own disk is not blamed on them."""

from __future__ import annotations

import errno
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from markethall.kernel.errors import Invalid
from markethall.trade.catalog.importing import archives

_CSV = b"slug,name\n" + b"aurore,Aurore\n" * 2000


def zipped(folder: Path) -> Path:
    path = folder / "products.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("products.csv", _CSV)
    return path


def damaged(path: Path) -> Path:
    """The same with its compressed bytes overwritten."""
    content = bytearray(path.read_bytes())
    content[50:110] = b"\xff" * 60
    path.write_bytes(content)
    return path


def tarred(folder: Path) -> Path:
    path = folder / "products.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        member = tarfile.TarInfo("products.csv")
        member.size = len(_CSV)
        packed.addfile(member, io.BytesIO(_CSV))
    return path


def tar_of(folder: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """An archive of these members, and of products after them."""
    path = folder / "products.tar.gz"
    product = tarfile.TarInfo("products.csv")
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as packed:
        for member, content in (*members, (product, _CSV)):
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def named(name: str, **more: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(member, key, value)
    return member


def locked(path: Path) -> Path:
    """The same with the flag of a password set in both of its headers."""
    content = path.read_bytes()
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(sign) + place
        content = content[:at] + b"\x01\x00" + content[at + 2 :]
    path.write_bytes(content)
    return path


def test_a_sound_archive_is_read(tmp_path: Path) -> None:
    for path in (zipped(tmp_path), tarred(tmp_path)):
        with archives.opened(path) as found:
            assert found.text.read_bytes() == _CSV


@pytest.mark.parametrize("make", [zipped, tarred])
def test_damaged_content_is_refused(make: Any, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="damaged"), archives.opened(damaged(make(tmp_path))):
        pass


def test_a_password_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="password"), archives.opened(locked(zipped(tmp_path))):
        pass


def test_a_full_disk_is_no_fault_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = zipped(tmp_path)
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space"), archives.opened(path):
        pass


HEADER = 2 * archives.MAX_HEADER
SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}


@pytest.mark.parametrize(
    "member",
    [
        named("a.txt", pax_headers={"comment": "a" * HEADER}),
        named("a" * HEADER),
        named("a.txt", pax_headers=SPARSE),
        named("a.txt", type=tarfile.GNUTYPE_SPARSE),
    ],
    ids=["headers", "name", "sparse by a header", "sparse by its type"],
)
def test_headers_that_packing_makes_small_are_not_read_whole(
    member: tarfile.TarInfo, tmp_path: Path
) -> None:
    with (
        pytest.raises(Invalid, match="damaged"),
        archives.opened(tar_of(tmp_path, (member, b"1\n0\n9\n" + bytes(600)))),
    ):
        pass


def test_what_is_passed_over_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ALL", 200_000)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 10)
    folders = [(named(f"{n}", type=tarfile.DIRTYPE), b"") for n in range(9)]
    few = [*folders[:8], (named("notes.txt"), bytes(100_000))]
    with archives.opened(tar_of(tmp_path, *few)) as found:
        assert found.text.read_bytes() == _CSV
    too_large = [(named("notes.txt"), bytes(100_000)), (named("more.txt"), bytes(100_001))]
    for too_much in ([*folders, (named("x", type=tarfile.DIRTYPE), b"")], too_large):
        with (
            pytest.raises(Invalid, match="more than is imported"),
            archives.opened(tar_of(tmp_path, *too_much)),
        ):
            pass
