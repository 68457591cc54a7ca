"""What the console shows of the storages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from house.people import make_user, page_client
from house.storing import use_storage
from markethall.foundation.files.actions import remember_run
from markethall.foundation.files.models import StoredFile
from markethall.kernel import clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """What the page keeps for a minute is of another test."""
    cache.delete("console:storage")


def shown() -> str:
    return str(page_client(make_user(role="admin")).get("/console/storage").content.decode())


def test_nothing_has_run_in_a_new_hall() -> None:
    page = shown()
    assert "new files" in page and "0 files" in page
    assert "markethall backup" in page and "removed from" not in page


def test_the_last_runs_are_told() -> None:
    remember_run("sweep", swept={"local": 3})
    remember_run("move", source="local", target="s3", moved=7, bytes=2048, faults=2)
    remember_run("backup", place="s3://archives/one.tar", files=9, damaged=0)
    page = shown()
    assert "3 removed from local" in page
    assert "7 files, 2.0" in page and "2 stayed" in page
    assert "s3://archives/one.tar" in page and "not what was once stored" not in page


def test_files_whose_storage_is_gone_are_seen(settings: Any, tmp_path: Path) -> None:
    use_storage(settings, tmp_path, "local")
    StoredFile.objects.create(
        purpose="upload",
        storage="s3",
        name="upload/one.png",
        content_type="image/png",
        size=2048,
        sha256="0" * 64,
        created_at=clock.now(),
    )
    page = shown()
    assert "not configured" in page and "1 file, 2.0" in page
