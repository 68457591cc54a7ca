"""Pictures at Cloudinary, by its SDK, before a peer that checks the SDK's signatures."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from typer.testing import CliRunner
from urllib3 import Timeout

from house.cloudinary_peer import SECRET, Peer, serving
from house.jobs import run_jobs
from house.people import ApiClient, client_for, make_user, page_client
from house.photos import photo
from house.storing import use_storage
from markethall.config.environment import load
from markethall.config.storage import StorageSettings, storage_faults
from markethall.flows.generation import run_generation
from markethall.foundation.files import moving
from markethall.foundation.files.actions import delete_file, read_file, sweep_storage
from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.models import StoredFile
from markethall.foundation.files.storage.base import FileStore
from markethall.foundation.files.storage.registry import store_named
from markethall.interfaces.cli import doctor
from markethall.interfaces.cli.main import app

pytestmark = pytest.mark.django_db(transaction=True)

ASKED: dict[str, Any] = {"content_type": "image/png", "disposition": "inline"}


@pytest.fixture(scope="module")
def server() -> Iterator[Peer]:
    with serving() as peer:
        yield peer


@pytest.fixture
def peer(server: Peer) -> Peer:
    server.assets.clear()
    server.down = server.preset = False
    server.parts = 0
    return server


@pytest.fixture
def cloud(peer: Peer, settings: Any, tmp_path: Path) -> FileStore:
    """New files go there."""
    use_storage(settings, tmp_path, "cloudinary", **peer.variables())
    return store_named("cloudinary")


@pytest.fixture
def client(cloud: FileStore) -> ApiClient:
    return client_for(make_user())


def upload(client: ApiClient) -> dict[str, Any]:
    picture = SimpleUploadedFile("cat.png", photo("PNG", (200, 160)), "image/png")
    answer = client.upload("/api/images/upload", file=picture)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def led_to(client: ApiClient, link: str) -> str:
    answer = client.get(link.removeprefix("http://testserver"))
    assert answer.status_code == 302
    return str(answer.headers["Location"])


class TestLinks:
    def test_an_upload_lies_there_and_its_link_shows_it(
        self, client: ApiClient, peer: Peer
    ) -> None:
        sent = upload(client)
        file = StoredFile.objects.get()
        assert file.storage == "cloudinary"
        assert peer.names() == {file.name.removesuffix(".png")}
        shown = httpx.get(led_to(client, sent["url"]))
        assert shown.status_code == 200
        assert hashlib.sha256(shown.content).hexdigest() == file.sha256
        assert shown.headers["content-type"] == "image/png"

    def test_nobody_else_gets_it(self, client: ApiClient) -> None:
        address = httpx.URL(led_to(client, upload(client)["url"]))
        assert SECRET not in str(address)
        assert httpx.get(address.copy_with(query=None)).status_code == 401
        ends = int(address.params["expires_at"])
        assert 3600 <= ends - time.time() <= 4200
        for name, value in (("expires_at", str(ends + 3600)), ("public_id", "upload/ab/x")):
            assert httpx.get(address.copy_set_param(name, value)).status_code == 401
        assert httpx.get(address).status_code == 200

    def test_a_link_of_the_past_is_refused(self, client: ApiClient, cloud: FileStore) -> None:
        upload(client)
        name = StoredFile.objects.get().name
        with time_machine.travel(datetime.now(UTC) - timedelta(minutes=90)):
            old = cloud.link(name, seconds=3600, **ASKED)
            good = cloud.link(name, seconds=6000, **ASKED)
        assert httpx.get(old).status_code == 401
        assert httpx.get(good).status_code == 200

    def test_pages_may_show_pictures_from_there(self, cloud: FileStore, peer: Peer) -> None:
        policy = page_client(make_user()).get("/plushify").headers["Content-Security-Policy"]
        assert f"img-src 'self' data: blob: {peer.url};" in policy


def test_a_plush_toy_is_made_shown_saved_and_deleted(client: ApiClient, peer: Peer) -> None:
    sent = upload(client)
    wish = {"uploadId": sent["id"], "style": "minimalist", "size": "small"}
    picture_id = client.post("/api/images/generate", wish).json()["id"]
    run_jobs()
    picture = client.get(f"/api/images/{picture_id}").json()
    assert picture["status"] == "completed"
    assert httpx.get(led_to(client, picture["generatedUrl"])).status_code == 200
    small = httpx.get(led_to(client, f"{picture['generatedUrl']}/preview"))
    assert small.headers["content-type"] == "image/webp"
    saved = client.post(f"/api/images/{picture_id}/download").json()
    got = client.get(saved["url"].removeprefix("http://testserver"))
    assert saved["filename"] in got.headers["Content-Disposition"]
    assert b"".join(got) == read_file(StoredFile.objects.get(purpose="result"))
    assert len(peer.assets) == 3
    assert client.delete(f"/api/images/{picture_id}").status_code == 204
    run_jobs()
    assert peer.assets == {}


class TestOutage:
    def test_an_upload_is_refused_clearly(self, client: ApiClient, peer: Peer) -> None:
        peer.down = True
        picture = SimpleUploadedFile("cat.png", photo("PNG"), "image/png")
        answer = client.upload("/api/images/upload", file=picture)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert answer.headers["Retry-After"]
        assert not StoredFile.objects.exists()

    def test_a_generation_waits_and_no_credit_is_lost(self, client: ApiClient, peer: Peer) -> None:
        sent = upload(client)
        wish = {"uploadId": sent["id"], "style": "minimalist", "size": "small"}
        picture_id = client.post("/api/images/generate", wish).json()["id"]
        peer.down = True
        run_jobs()
        assert client.get(f"/api/images/{picture_id}").json()["status"] == "pending"
        assert client.get("/api/credits/balance").json()["held"] == 1
        peer.down = False
        run_generation(picture_id)
        assert client.get(f"/api/images/{picture_id}").json()["status"] == "completed"
        assert client.get("/api/credits/balance").json()["held"] == 0

    def test_a_deletion_is_tried_again(self, client: ApiClient, peer: Peer) -> None:
        upload(client)
        delete_file(StoredFile.objects.get())
        peer.down = True
        run_jobs()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT status, attempts FROM procrastinate_jobs WHERE task_name = 'delete_stored'"
            )
            assert cursor.fetchall() == [("todo", 1)]

    def test_one_that_hangs_is_given_up(
        self, settings: Any, tmp_path: Path, peer: Peer, hanging: str, monkeypatch: Any
    ) -> None:
        brief = Timeout(connect=0.2, read=0.2)
        monkeypatch.setattr("markethall.foundation.files.storage.cloudinary._TIMEOUT", brief)
        away = {**peer.variables(), "CLOUDINARY_UPLOAD_PREFIX": hanging}
        use_storage(settings, tmp_path, "cloudinary", **away)
        picture = SimpleUploadedFile("cat.png", photo("PNG"), "image/png")
        answer = client_for(make_user()).upload("/api/images/upload", file=picture)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        with pytest.raises(StorageUnavailable):
            store_named("cloudinary").open("a/x.txt")

    def test_nobody_there(self, settings: Any, tmp_path: Path, peer: Peer) -> None:
        away = {**peer.variables(), "CLOUDINARY_UPLOAD_PREFIX": "http://127.0.0.1:9"}
        use_storage(settings, tmp_path, "cloudinary", **away)
        store = store_named("cloudinary")
        for act in (
            lambda: store.put("a/x.txt", io.BytesIO(b"x"), content_type="text/plain"),
            lambda: store.open("a/x.txt"),
            lambda: store.remove("a/x.txt"),
            lambda: list(store.entries()),
        ):
            with pytest.raises(StorageUnavailable):
                act()


class TestStore:
    def test_large_content_goes_in_parts_and_comes_back(self, cloud: FileStore, peer: Peer) -> None:
        content = b"0123456789abcdef" * (45 * 1024 * 1024 // 16)
        cloud.put("a/large.zip", io.BytesIO(content), content_type="application/zip")
        assert peer.parts == 3
        with cloud.open("a/large.zip") as back:
            assert hashlib.sha256(back.read()).digest() == hashlib.sha256(content).digest()

    def test_what_breaks_off_is_never_seen(self, cloud: FileStore, peer: Peer) -> None:
        with pytest.raises(KeyError), cloud.writer("a/broken.zip") as out:
            out.write(b"half")
            raise KeyError
        assert peer.assets == {}

    def test_what_is_missing_is_not_found(self, cloud: FileStore) -> None:
        with pytest.raises(FileNotFoundError), cloud.open("a/nothing.png"):
            pass
        cloud.remove("a/nothing.png")

    def test_an_account_that_changes_files_is_not_trusted(
        self, cloud: FileStore, peer: Peer
    ) -> None:
        peer.preset = True
        with pytest.raises(StorageUnavailable):
            cloud.put("a/x.txt", io.BytesIO(b"text"), content_type="text/plain")

    @pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
    def test_a_folder_begins_every_name(
        self, peer: Peer, settings: Any, tmp_path: Path, algorithm: str
    ) -> None:
        more = {"CLOUDINARY_FOLDER": "/shop/", "CLOUDINARY_SIGNATURE_ALGORITHM": algorithm}
        use_storage(settings, tmp_path, "cloudinary", **peer.variables(), **more)
        store = store_named("cloudinary")
        store.put("a/x.png", io.BytesIO(photo("PNG")), content_type="image/png")
        store.put("a/y & z.zip", io.BytesIO(b"z"), content_type="application/zip")
        assert peer.names() == {"shop/a/x", "shop/a/y & z.zip"}
        assert {entry.name for entry in store.entries()} == {"a/x.png", "a/y & z.zip"}
        assert [entry.name for entry in store.entries("a/x.png")] == ["a/x.png"]

    def test_page_after_page(
        self, cloud: FileStore, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("markethall.foundation.files.storage.cloudinary._PAGE", 2)
        for number in range(5):
            name = f"receipt/ab/{number:032x}.pdf"
            cloud.put(name, io.BytesIO(b"x"), content_type="application/pdf")
        assert len(list(cloud.entries())) == 5
        later = timezone.now() + timedelta(minutes=62)
        monkeypatch.setattr("django.utils.timezone.now", lambda: later)
        assert sweep_storage(later) == 5
        assert peer.assets == {}


def test_files_move_there_and_back(
    client: ApiClient, peer: Peer, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "LINKS_OUT", timedelta(0))
    upload(client)
    before = StoredFile.objects.get()
    content = read_file(before)
    for pair in (("cloudinary", "local"), ("local", "cloudinary")):
        options = ["move-files", "--from", pair[0], "--to", pair[1]]
        done = CliRunner().invoke(app, options)
        assert done.exit_code == 0, done.output
        run_jobs()
        after = StoredFile.objects.get()
        assert after.storage == pair[1]
        assert read_file(after) == content
        assert len(peer.assets) == (pair[1] == "cloudinary")


class TestDoctor:
    def test_it_tries_it_and_leaves_nothing(self, cloud: FileStore, peer: Peer) -> None:
        found = {finding.name: finding for finding in doctor.files(load())}
        assert found["file storage cloudinary"].mend == ""
        assert "hall-cloud" in found["file storage cloudinary"].state
        assert peer.assets == {}

    def test_a_wrong_secret_is_told(self, peer: Peer, settings: Any, tmp_path: Path) -> None:
        wrong = {**peer.variables(), "CLOUDINARY_API_SECRET": "another"}
        use_storage(settings, tmp_path, "cloudinary", **wrong)
        (found, _) = list(doctor.files(load()))
        assert "Invalid Signature" in found.state
        assert "keys" in found.mend

    def test_what_is_missing_among_its_settings_is_told(self) -> None:
        def faults(**chosen: Any) -> str:
            return " ".join(storage_faults(StorageSettings(storage="cloudinary", **chosen)))

        assert "CLOUDINARY_CLOUD_NAME" in faults()
        assert "CLOUDINARY_API_KEY" in faults(cloudinary_cloud_name="x")
        assert faults(cloudinary_cloud_name="x", cloudinary_api_key="k") == ""
