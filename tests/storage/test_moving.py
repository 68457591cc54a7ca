"""Files move between a folder and a bucket while the hall is open, and none is lost on the way."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from typer.testing import CliRunner, Result

from house.jobs import run_jobs
from house.people import ApiClient, client_for, make_user
from house.photos import photo
from house.storing import use_storage
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.files import moving
from markethall.foundation.files.actions import read_file, store_file
from markethall.foundation.files.models import StorageRun, StoredFile
from markethall.foundation.files.storage.base import FileStore
from markethall.foundation.files.storage.registry import store_named
from markethall.interfaces.cli.main import app
from markethall.kernel.locking import alone

pytestmark = pytest.mark.django_db(transaction=True)


def move(source: str, target: str, *options: str) -> Result:
    return CliRunner().invoke(app, ["move-files", "--from", source, "--to", target, *options])


def keep(count: int) -> list[StoredFile]:
    """Store some files of different content in the chosen storage."""
    return [
        store_file(
            f"{number} ".encode() * 1000,
            purpose="result",
            content_type="image/png",
            owner_id=None,
        )
        for number in range(count)
    ]


def names_in(store: FileStore) -> set[str]:
    return {entry.name for entry in store.entries()}


def all_well() -> bool:
    files = list(StoredFile.objects.all())
    return all(hashlib.sha256(read_file(file)).hexdigest() == file.sha256 for file in files)


def path_of(name: str) -> str:
    return name.removeprefix("http://testserver")


@pytest.fixture
def both(settings: Any, tmp_path: Path, s3_settings: dict[str, str]) -> Callable[[str], None]:
    """A hall with both storages; says which one is for new files."""

    def choose(name: str) -> None:
        use_storage(settings, tmp_path, name, **s3_settings)

    choose("local")
    return choose


@pytest.fixture
def bucket_store(both: Callable[[str], None]) -> FileStore:
    return store_named("s3")


@pytest.fixture
def without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "LINKS_OUT", timedelta(0))


class TestThereAndBack:
    def test_a_picture_is_shown_before_and_after(
        self, both: Callable[[str], None], bucket_store: FileStore, tmp_path: Path
    ) -> None:
        client = client_for(make_user())
        picture = SimpleUploadedFile("cat.png", photo("PNG", (200, 160)), "image/png")
        link = path_of(client.upload("/api/images/upload", file=picture).json()["url"])
        shown = b"".join(client.get(link))
        assert client.get(f"{link}/preview").status_code == 200
        both("s3")
        done = move("local", "s3")
        assert done.exit_code == 0, done.output
        assert "1 moved to s3" in done.output
        assert "0 files lie in local now" in done.output
        assert not [path for path in (tmp_path / "files").rglob("*.png") if path.is_file()]
        answer = client.get(link)
        assert answer.status_code == 302
        assert httpx.get(answer.headers["Location"]).content == shown
        file = StoredFile.objects.get()
        assert (file.storage, file.has_preview) == ("s3", True)
        small = client.get(f"{link}/preview").headers["Location"]
        assert httpx.get(small).headers["content-type"] == "image/webp"
        assert len(names_in(bucket_store)) == 2
        assert StorageRun.objects.get(kind="move").data["moved"] == 1
        assert AuditEntry.objects.get(action="files.move").data["bytes"] == file.size

    def test_out_of_the_bucket_copies_stay_while_links_lead_to_them(
        self, both: Callable[[str], None], bucket_store: FileStore
    ) -> None:
        both("s3")
        files = keep(3)
        asked = {"seconds": 600, "content_type": "image/png", "disposition": "inline"}
        link = bucket_store.link(files[0].name, **asked)
        both("local")
        done = move("s3", "local")
        assert "3 copies go from s3 in 75 minutes" in done.output
        run_jobs()
        assert httpx.get(link).status_code == 200
        assert set(StoredFile.objects.values_list("storage", flat=True)) == {"local"}
        assert all_well()

    def test_the_job_removes_them(
        self, both: Callable[[str], None], bucket_store: FileStore, without_delay: None
    ) -> None:
        both("s3")
        keep(3)
        move("s3", "local")
        run_jobs()
        assert names_in(bucket_store) == set()
        assert all_well()

    def test_what_came_back_before_the_job_stays(
        self, both: Callable[[str], None], bucket_store: FileStore, without_delay: None
    ) -> None:
        both("s3")
        files = keep(2)
        move("s3", "local")
        move("local", "s3")
        run_jobs()
        assert names_in(bucket_store) == {file.name for file in files}
        assert all_well()

    def test_the_job_waits_for_a_move_at_work(
        self, both: Callable[[str], None], bucket_store: FileStore, without_delay: None
    ) -> None:
        both("s3")
        keep(1)
        move("s3", "local")
        with alone("files.move"):
            run_jobs()
        assert len(names_in(bucket_store)) == 1


class TestAgain:
    def test_a_second_run_finds_nothing_to_do(self, both: Any, bucket_store: FileStore) -> None:
        keep(3)
        assert move("local", "s3").exit_code == 0
        done = move("local", "s3")
        assert done.exit_code == 0
        assert "0 moved" in done.output

    def test_broken_off_it_goes_on_where_it_was(
        self, both: Any, bucket_store: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(6)
        monkeypatch.setattr(moving, "_BATCH", 2)
        whole, puts = bucket_store.endpoint_url, []
        real = type(bucket_store).put

        def vanish_after_four(store: Any, *args: Any, **options: Any) -> None:
            puts.append(1)
            if len(puts) == 5:
                store.__dict__.pop("client", None)
                store._connections.__dict__.clear()
                store.endpoint_url = "http://127.0.0.1:9"
            real(store, *args, **options)

        monkeypatch.setattr(type(bucket_store), "put", vanish_after_four)
        broken = move("local", "s3", "--at-once", "1")
        assert broken.exit_code != 0
        assert "run it again" in broken.output
        assert StoredFile.objects.filter(storage="local").count() == 2
        bucket_store.__dict__.pop("client", None)
        bucket_store._connections.__dict__.clear()
        bucket_store.endpoint_url = whole
        assert all_well()
        assert move("local", "s3").exit_code == 0
        assert not StoredFile.objects.filter(storage="local").exists()
        assert all_well()

    def test_kept_copies_go_with_a_later_run(
        self, both: Any, bucket_store: FileStore, tmp_path: Path
    ) -> None:
        files = keep(2)
        move("local", "s3", "--keep-source")
        folder = store_named("local")
        assert names_in(folder) == {file.name for file in files} == names_in(bucket_store)
        # A copy is no longer worth less once the other is damaged.
        bucket_store.put(files[0].name, io.BytesIO(b"other"), content_type="image/png")
        assert "1 copies removed" in move("local", "s3").output
        assert names_in(folder) == {files[0].name}

    def test_only_one_at_a_time(self, both: Any, bucket_store: FileStore) -> None:
        keep(1)
        outputs: list[str] = []

        def second() -> None:
            outputs.append(move("local", "s3").output)
            connections.close_all()

        with alone("files.move"):
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
        assert "being moved already" in outputs[0]
        assert StoredFile.objects.get().storage == "local"


class TestFaults:
    def test_what_is_damaged_or_lost_stays_and_is_told(
        self, both: Any, bucket_store: FileStore
    ) -> None:
        whole, damaged, lost = keep(3)
        folder = store_named("local")
        folder.put(damaged.name, io.BytesIO(b"other"), content_type="image/png")
        folder.remove(lost.name)
        done = move("local", "s3")
        assert done.exit_code == 1
        told = " ".join(done.output.split())
        assert f"{damaged.name}: its content is not what was stored" in told
        assert f"{lost.name}: it is not there" in told
        assert names_in(folder) == {damaged.name}
        assert names_in(bucket_store) == {whole.name}

    def test_nothing_is_removed_when_the_new_storage_gives_something_else_back(
        self, both: Any, bucket_store: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(1)
        real = type(bucket_store).put

        def shortened(store: Any, name: str, content: Any, **options: Any) -> None:
            real(store, name, io.BytesIO(content.read()[:-1]), **options)

        monkeypatch.setattr(type(bucket_store), "put", shortened)
        done = move("local", "s3")
        assert done.exit_code == 1
        assert "did not give back" in " ".join(done.output.split())
        assert StoredFile.objects.get().storage == "local"
        assert all_well()

    def test_a_file_deleted_on_the_way_leaves_nothing(
        self, both: Any, bucket_store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep(1)
        real = moving._settle

        def delete_first(*args: Any) -> bool:
            StoredFile.objects.all().delete()
            return real(*args)

        monkeypatch.setattr(moving, "_settle", delete_first)
        assert move("local", "s3").exit_code == 0
        assert names_in(bucket_store) == set()

    @pytest.mark.parametrize("pair", [("local", "r2"), ("local", "local")])
    def test_impossible_moves_are_refused(self, both: Any, pair: tuple[str, str]) -> None:
        assert move(*pair).exit_code != 0


def test_files_are_found_all_the_while(
    both: Callable[[str], None], bucket_store: FileStore
) -> None:
    user = make_user()
    client = client_for(user)
    links = []
    for _ in range(6):
        picture = SimpleUploadedFile("cat.png", photo("PNG", (60, 40)), "image/png")
        links.append(path_of(client.upload("/api/images/upload", file=picture).json()["url"]))
    over, statuses = threading.Event(), []

    def read(reader: ApiClient) -> None:
        rounds = 0
        while not over.is_set() or rounds < 2:
            rounds += 1
            for link in links:
                for address in (link, f"{link}/preview"):
                    answer = reader.get(address)
                    if answer.status_code == 302:
                        statuses.append(httpx.get(answer.headers["Location"]).status_code)
                    else:
                        statuses.append(answer.status_code if b"".join(answer) else 0)
        connections.close_all()

    clients = [client_for(user) for _ in range(3)]
    for reader in clients:
        reader.get("/healthz")  # loads what reads the environment, which a command changes
    readers = [threading.Thread(target=read, args=(reader,)) for reader in clients]
    for thread in readers:
        thread.start()
    try:
        outcomes = [move(*pair).exit_code for pair in (("local", "s3"), ("s3", "local")) * 2]
    finally:
        over.set()
        for thread in readers:
            thread.join()
    assert outcomes == [0, 0, 0, 0]
    assert len(statuses) >= 36
    assert set(statuses) == {200}
