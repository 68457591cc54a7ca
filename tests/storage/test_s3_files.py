"""Pictures in a private bucket of a real S3 server."""

from __future__ import annotations

import hashlib
import io
import resource
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from house.jobs import run_jobs
from house.people import ApiClient, client_for, make_user, page_client
from house.photos import photo
from house.storing import use_storage
from markethall.config.environment import load
from markethall.flows.generation import run_generation
from markethall.flows.generation_care import sweep_files
from markethall.foundation.files.actions import delete_file, read_file, sweep_storage
from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.models import StorageRun, StoredFile
from markethall.foundation.files.storage.base import FileStore
from markethall.foundation.files.storage.registry import link_origins, store_named
from markethall.interfaces.cli import doctor
from markethall.interfaces.cli.doctor import Finding

pytestmark = pytest.mark.django_db(transaction=True)


def keys(s3: Any, bucket: str) -> set[str]:
    return {found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def upload(client: ApiClient) -> dict[str, Any]:
    picture = SimpleUploadedFile("cat.png", photo("PNG", (200, 160)), "image/png")
    answer = client.upload("/api/images/upload", file=picture)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def led_to(client: ApiClient, link: str) -> str:
    """Where our link leads."""
    answer = client.get(link.removeprefix("http://testserver"))
    assert answer.status_code == 302
    return str(answer.headers["Location"])


@pytest.fixture
def client(on_s3: FileStore) -> ApiClient:
    return client_for(make_user())


class TestLinks:
    def test_an_upload_lies_in_the_bucket_and_its_link_shows_it(
        self, client: ApiClient, s3: Any, bucket: str
    ) -> None:
        sent = upload(client)
        file = StoredFile.objects.get(pk=sent["id"])
        assert file.storage == "s3"
        assert keys(s3, bucket) == {file.name}
        shown = httpx.get(led_to(client, sent["url"]))
        assert shown.status_code == 200
        assert hashlib.sha256(shown.content).hexdigest() == file.sha256
        assert shown.headers["content-type"] == "image/png"
        assert shown.headers["content-disposition"] == "inline"

    def test_nobody_else_reads_the_bucket(
        self, client: ApiClient, s3_settings: dict[str, str], bucket: str
    ) -> None:
        address = led_to(client, upload(client)["url"])
        file = StoredFile.objects.get()
        assert (
            httpx.get(f"{s3_settings['S3_ENDPOINT_URL']}/{bucket}/{file.name}").status_code == 403
        )
        before, _, signature = address.partition("X-Amz-Signature=")
        wrong = "0" * 8 if signature[:8] != "0" * 8 else "1" * 8
        forged = f"{before}X-Amz-Signature={wrong}{signature[8:]}"
        refused = httpx.get(forged)
        assert refused.status_code == 403
        assert "SignatureDoesNotMatch" in refused.text
        longer = address.replace("X-Amz-Expires=", "X-Amz-Expires=9")
        assert httpx.get(longer).status_code == 403
        assert httpx.get(address).status_code == 200

    def test_a_link_of_the_past_is_refused_by_the_server(
        self, client: ApiClient, on_s3: FileStore
    ) -> None:
        upload(client)
        name = StoredFile.objects.get().name
        with time_machine.travel(datetime.now(UTC) - timedelta(minutes=5)):
            old = on_s3.link(name, seconds=120, content_type="image/png", disposition="inline")
            good = on_s3.link(name, seconds=900, content_type="image/png", disposition="inline")
        refused = httpx.get(old)
        assert refused.status_code == 403
        assert "expired" in refused.text
        assert httpx.get(good).status_code == 200

    def test_our_own_link_expires_and_never_outlives_itself_at_the_server(
        self, client: ApiClient, turn_clock: Callable[[timedelta], None]
    ) -> None:
        link = upload(client)["url"].removeprefix("http://testserver")
        answer = client.get(link)
        seconds = int(httpx.URL(answer.headers["Location"]).params["X-Amz-Expires"])
        assert 3600 <= seconds <= 4200
        assert answer.headers["Cache-Control"] == f"private, max-age={seconds - 60}"
        turn_clock(timedelta(hours=2))
        assert client.get(link).status_code == 404

    def test_a_download_has_its_name(self, on_s3: FileStore) -> None:
        on_s3.put("result/ab/x.png", io.BytesIO(b"picture"), content_type="image/png")
        asked = {"seconds": 60, "content_type": "image/png"}
        named = 'attachment; filename="plush toy.png"'
        got = httpx.get(on_s3.link("result/ab/x.png", disposition=named, **asked))
        assert got.headers["content-disposition"] == named

    def test_pages_may_show_pictures_from_there_and_nowhere_else(
        self, on_s3: FileStore, s3_settings: dict[str, str]
    ) -> None:
        origin = s3_settings["S3_ENDPOINT_URL"]
        assert link_origins() == [origin]
        policy = page_client(make_user()).get("/plushify").headers["Content-Security-Policy"]
        assert f"img-src 'self' data: blob: {origin};" in policy

    def test_the_head_of_a_file_is_told_by_us(self, client: ApiClient) -> None:
        sent = upload(client)
        answer = client.head(sent["url"].removeprefix("http://testserver"))
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == StoredFile.objects.get().size


class TestJourney:
    def test_a_plush_toy_is_made_shown_and_deleted(
        self, client: ApiClient, s3: Any, bucket: str
    ) -> None:
        sent = upload(client)
        wish = {"uploadId": sent["id"], "style": "minimalist", "size": "small"}
        asked = client.post("/api/images/generate", wish)
        assert asked.status_code == 202, asked.content
        run_jobs()
        picture = client.get(f"/api/images/{asked.json()['id']}").json()
        assert picture["status"] == "completed"
        for link in (picture["originalUrl"], picture["generatedUrl"]):
            assert httpx.get(led_to(client, link)).status_code == 200
        small = httpx.get(led_to(client, f"{picture['generatedUrl']}/preview"))
        assert small.headers["content-type"] == "image/webp"
        saved = client.post(f"/api/images/{picture['id']}/download").json()
        got = httpx.get(led_to(client, saved["url"]))
        assert saved["filename"] in got.headers["content-disposition"]
        assert len(keys(s3, bucket)) == 3
        assert client.delete(f"/api/images/{picture['id']}").status_code == 204
        run_jobs()
        assert keys(s3, bucket) == set()


class TestOutage:
    @pytest.fixture
    def away(self, on_s3: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        """Lets the server vanish: its address answers nothing."""

        def vanish() -> None:
            on_s3.__dict__.pop("client", None)
            on_s3._connections.__dict__.clear()
            monkeypatch.setattr(on_s3, "endpoint_url", "http://127.0.0.1:9")

        return vanish

    def test_an_upload_is_refused_clearly(
        self, client: ApiClient, away: Callable[[], None]
    ) -> None:
        away()
        picture = SimpleUploadedFile("cat.png", photo("PNG"), "image/png")
        answer = client.upload("/api/images/upload", file=picture)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert answer.headers["Retry-After"]
        assert not StoredFile.objects.exists()

    def test_one_that_hangs_is_given_up(
        self,
        s3_settings: dict[str, str],
        hanging: str,
        settings: Any,
        tmp_path: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("markethall.foundation.files.storage.s3._TIMEOUTS", (0.2, 0.2))
        use_storage(settings, tmp_path, "s3", **{**s3_settings, "S3_ENDPOINT_URL": hanging})
        picture = SimpleUploadedFile("cat.png", photo("PNG"), "image/png")
        answer = client_for(make_user()).upload("/api/images/upload", file=picture)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")

    def test_a_generation_waits_for_the_storage(
        self, client: ApiClient, away: Callable[[], None], on_s3: Any, monkeypatch: Any
    ) -> None:
        sent = upload(client)
        wish = {"uploadId": sent["id"], "style": "minimalist", "size": "small"}
        picture_id = client.post("/api/images/generate", wish).json()["id"]
        with monkeypatch.context():
            address = on_s3.endpoint_url
            away()
            run_jobs()
        state = client.get(f"/api/images/{picture_id}").json()
        assert state["status"] == "pending"
        assert client.get("/api/credits/balance").json()["held"] == 1
        on_s3.__dict__.pop("client", None)
        on_s3._connections.__dict__.clear()
        on_s3.endpoint_url = address
        run_generation(state["id"])
        assert client.get(f"/api/images/{picture_id}").json()["status"] == "completed"

    def test_a_file_whose_storage_is_no_longer_configured_is_not_called_lost(
        self, client: ApiClient
    ) -> None:
        link = upload(client)["url"].removeprefix("http://testserver")
        StoredFile.objects.update(storage="r2")
        assert client.get(link).status_code == 503


class TestStore:
    def test_large_content_goes_in_parts_and_comes_back(
        self, on_s3: FileStore, s3: Any, bucket: str
    ) -> None:
        content = b"0123456789abcdef" * (20 * 1024 * 1024 // 16)
        on_s3.put("a/large", io.BytesIO(content), content_type="application/zip")
        assert s3.head_object(Bucket=bucket, Key="a/large")["ETag"].strip('"').endswith("-3")
        with on_s3.open("a/large") as back:
            assert hashlib.sha256(back.read()).digest() == hashlib.sha256(content).digest()

    def test_a_stream_of_any_length_takes_little_memory(self, on_s3: FileStore) -> None:
        piece = bytes(1024 * 1024)
        with on_s3.writer("a/first") as out:
            out.write(piece)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with on_s3.writer("a/stream") as out:
            for _ in range(100):
                out.write(piece)
        with on_s3.stream("a/stream") as back:
            length = 0
            while part := back.read(1024 * 1024):
                length += len(part)
        assert length == 100 * 1024 * 1024
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 80 * 1024  # KiB

    def test_what_breaks_off_is_never_seen(self, on_s3: FileStore, s3: Any, bucket: str) -> None:
        with pytest.raises(KeyError), on_s3.writer("a/broken") as out:
            out.write(bytes(17 * 1024 * 1024))
            raise KeyError
        assert keys(s3, bucket) == set()
        assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")

    def test_what_is_missing_is_not_found(self, on_s3: FileStore) -> None:
        with pytest.raises(FileNotFoundError), on_s3.open("a/nothing"):
            pass
        on_s3.remove("a/nothing")

    def test_a_wrong_key_is_an_outage_and_no_lost_file(
        self, on_s3: Any, s3_settings: dict[str, str], settings: Any, tmp_path: Any
    ) -> None:
        on_s3.put("a/x", io.BytesIO(b"x"), content_type="image/png")
        wrong = {**s3_settings, "S3_SECRET_ACCESS_KEY": "another-secret"}
        use_storage(settings, tmp_path, "s3", **wrong)
        with pytest.raises(StorageUnavailable), store_named("s3").open("a/x"):
            pass

    def test_a_prefix_begins_every_name(
        self, s3: Any, bucket: str, s3_settings: dict[str, str], settings: Any, tmp_path: Any
    ) -> None:
        use_storage(settings, tmp_path, "s3", **s3_settings, S3_PREFIX="/shop/")
        store = store_named("s3")
        store.put("a/x", io.BytesIO(b"x"), content_type="image/png")
        assert keys(s3, bucket) == {"shop/a/x"}
        assert [entry.name for entry in store.entries()] == ["a/x"]


class TestSweep:
    @pytest.fixture
    def an_hour_later(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        """For us alone: the server refuses whoever's clock is so wrong."""
        later = timezone.now() + timedelta(minutes=62)
        return lambda: monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    def test_only_what_nobody_knows_and_is_older_than_an_hour_goes(
        self,
        client: ApiClient,
        on_s3: FileStore,
        s3: Any,
        bucket: str,
        an_hour_later: Callable[[], None],
    ) -> None:
        upload(client)
        kept = StoredFile.objects.get().name
        lost = f"upload/ab/{'0' * 32}.png"
        for name in (lost, "backups/markethall.tar", f"preview/ab/{'a' * 32}.webp"):
            on_s3.put(name, io.BytesIO(b"x"), content_type="image/png")
        assert sweep_storage(timezone.now() + timedelta(days=1)) == 0
        an_hour_later()
        assert sweep_files() == 2
        assert keys(s3, bucket) == {kept, "backups/markethall.tar"}
        assert StorageRun.objects.get(kind="sweep").data["swept"] == {"s3": 2, "local": 0}

    def test_more_than_one_page(
        self,
        on_s3: FileStore,
        s3: Any,
        bucket: str,
        monkeypatch: pytest.MonkeyPatch,
        an_hour_later: Callable[[], None],
    ) -> None:
        monkeypatch.setattr("markethall.foundation.files.actions._BATCH", 3)
        for number in range(8):
            name = f"upload/ab/{number:032x}.png"
            on_s3.put(name, io.BytesIO(b"x"), content_type="image/png")
        an_hour_later()
        assert sweep_storage(timezone.now()) == 8
        assert keys(s3, bucket) == set()


def test_a_deleted_file_goes_by_a_job_that_is_tried_again(
    client: ApiClient, s3: Any, bucket: str
) -> None:
    upload(client)
    file = StoredFile.objects.get()
    assert read_file(file)
    delete_file(file)
    assert len(keys(s3, bucket)) == 1
    run_jobs()
    assert keys(s3, bucket) == set()


class TestDoctor:
    def examine(self) -> dict[str, Finding]:
        return {finding.name: finding for finding in doctor.files(load())}

    def test_it_tries_each_storage_and_leaves_nothing(
        self, on_s3: FileStore, s3: Any, bucket: str
    ) -> None:
        found = self.examine()
        assert set(found) == {"file storage s3", "file storage local"}
        assert [finding.mend for finding in found.values()] == ["", ""]
        assert bucket in found["file storage s3"].state
        assert keys(s3, bucket) == set()

    def test_it_tells_what_a_wrong_key_and_a_forgotten_storage_need(
        self, client: ApiClient, s3_settings: dict[str, str], settings: Any, tmp_path: Any
    ) -> None:
        upload(client)
        StoredFile.objects.update(storage="r2")
        wrong = {**s3_settings, "S3_SECRET_ACCESS_KEY": "another-secret"}
        use_storage(settings, tmp_path, "s3", **wrong)
        found = self.examine()
        assert "SignatureDoesNotMatch" in found["file storage s3"].state
        assert "keys" in found["file storage s3"].mend
        assert found["file storage r2"].mend
