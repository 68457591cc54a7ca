"""R9 with a bucket: the hall's files lie in one, its archive in another, and both come back."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from house.halls import markethall

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the embedded database's own user can reach; pytest keeps its folders shut."""
    folder = Path(tempfile.mkdtemp(prefix="markethall-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def vault(s3: Any) -> str:
    """A bucket for archives."""
    name = f"vault-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


def content_of(s3: Any, bucket: str) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {
        item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found
    }


def empty(s3: Any, bucket: str) -> None:
    for key in content_of(s3, bucket):
        s3.delete_object(Bucket=bucket, Key=key)


def books_of(text: str) -> str:
    found = re.search(r"Checksum ([0-9a-f]+)", text.replace("\n", ""))
    assert found
    return found[1]


def test_a_hall_with_its_files_in_a_bucket_comes_back_whole(
    place: Path, s3: Any, bucket: str, vault: str, s3_settings: dict[str, str]
) -> None:
    data = place / "hall"
    run: Callable[..., str] = lambda *arguments, **more: markethall(  # noqa: E731
        data, *arguments, **{**s3_settings, **more}
    )
    run("migrate", STORAGE="s3")
    run("seed", STORAGE="s3")
    kept = content_of(s3, bucket)
    books = books_of(run("check-ledger"))
    assert kept
    told = run("backup", f"s3://{vault}/nightly/", STORAGE="s3")
    (archive,) = content_of(s3, vault)
    assert re.fullmatch(r"nightly/markethall-[0-9T-]+Z\.tar", archive)
    assert f"{len(kept)} files" in told

    shutil.rmtree(data)
    empty(s3, bucket)
    told = run("restore", f"s3://{vault}/{archive}", STORAGE="s3")
    assert content_of(s3, bucket) == kept
    assert books in told
    assert books_of(run("check-ledger")) == books

    # A second archive says the same of books and rows.
    run("backup", str(place / "again.tar"), STORAGE="s3")
    shutil.unpack_archive(place / "again.tar", place / "again", filter="data")
    again = json.loads((place / "again" / "manifest.json").read_text())
    assert again["checksum"] == books

    # Where there is no bucket any more, its files come to lie in the folder.
    shutil.rmtree(data)
    told = markethall(data, "restore", str(place / "again.tar"))
    assert f"{len(kept)} files, compared" in told
    folder = data / "files"
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == kept


def test_without_buckets_their_files_stay_where_they_are(
    place: Path, s3: Any, bucket: str, s3_settings: dict[str, str]
) -> None:
    data, archive = place / "hall", place / "hall.tar"
    variables = {**s3_settings, "STORAGE": "s3"}
    markethall(data, "migrate", **variables)
    markethall(data, "seed", **variables)
    kept = content_of(s3, bucket)
    markethall(data, "backup", "--no-buckets", str(archive), **variables)
    shutil.rmtree(data)
    told = markethall(data, "restore", str(archive), **variables)
    assert f"{len(kept)} files were not in the archive" in told
    assert content_of(s3, bucket) == kept


def test_what_breaks_off_leaves_no_archive(
    place: Path, s3: Any, vault: str, s3_settings: dict[str, str]
) -> None:
    data = place / "hall"
    markethall(data, "migrate", **s3_settings)
    wrong = {**s3_settings, "S3_SECRET_ACCESS_KEY": "another-secret"}
    with pytest.raises(RuntimeError, match="cannot be reached"):
        markethall(data, "backup", f"s3://{vault}/hall.tar", **wrong)
    with pytest.raises(RuntimeError, match="There is no archive"):
        markethall(data, "restore", f"s3://{vault}/hall.tar", **s3_settings)
    with pytest.raises(RuntimeError, match="no place for an archive"):
        markethall(data, "backup", "ftp://x/hall.tar", **s3_settings)
    assert content_of(s3, vault) == {}
