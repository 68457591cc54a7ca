from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from house.people import ApiClient, client_for, make_user
from house.photos import opened, photo
from markethall.content.imaging.models import Generation
from markethall.flows import uploads
from markethall.flows.generation import give_back
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import delete_file, store_file
from markethall.foundation.files.links import signed_link
from markethall.foundation.files.models import StoredFile
from markethall.foundation.ledger.actions import capture_hold
from markethall.kernel.throttle import Limit

pytestmark = pytest.mark.django_db
# Who asks, whether the key was used, the hold, the picture, its job, the notices, the answer.
STATEMENTS = 7
KEYS = {
    "id",
    "status",
    "style",
    "size",
    "prompt",
    "originalUrl",
    "generatedUrl",
    "isFavorite",
    "processingTime",
    "errorMessage",
    "createdAt",
}


@pytest.fixture
def user() -> User:
    return make_user(credits=100)


@pytest.fixture
def api(user: User) -> ApiClient:
    return client_for(user)


def file(content: bytes, name: str = "me.png", content_type: str = "image/png") -> Any:
    return SimpleUploadedFile(name, content, content_type)


def upload(api: ApiClient) -> str:
    return str(api.upload("/api/images/upload", file=file(photo())).json()["id"])


def generate(api: ApiClient, **wish: Any) -> dict[str, Any]:
    body = {"uploadId": upload(api), "style": "cute", "size": "small", "prompt": "", **wish}
    answer = api.post("/api/images/generate", body)
    assert answer.status_code == 202, answer.content
    return dict(answer.json())


def complete(image_id: str) -> None:
    """Make a picture as the job would, without its work."""
    picture = Generation.objects.get(pk=image_id)
    picture.result = store_file(
        photo(), purpose="result", content_type="image/png", owner_id=picture.user_id
    )
    picture.status, picture.processing_ms = "completed", 1200
    picture.save()
    capture_hold(picture.hold_id)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


class TestUpload:
    def test_the_answer_tells_what_is_kept(self, api: ApiClient) -> None:
        answer = api.upload("/api/images/upload", file=file(photo(size=(60, 40))))
        assert answer.status_code == 201
        body = answer.json()
        assert set(body) == {"id", "url", "width", "height", "contentType"}
        assert (body["width"], body["height"], body["contentType"]) == (60, 40, "image/png")
        shown = Client().get(body["url"])
        assert opened(b"".join(shown)).size == (60, 40)

    def test_the_senders_name_is_nowhere(self, api: ApiClient) -> None:
        api.upload("/api/images/upload", file=file(photo(), "../../etc/holiday.png"))
        name = StoredFile.objects.get().name
        assert re.fullmatch(r"upload/[0-9a-f]{2}/[0-9a-f]{32}\.png", name)

    @pytest.mark.parametrize(
        ("content", "name", "content_type", "status", "code"),
        [
            (b"", "a.png", "image/png", 422, "invalid_picture"),
            (b"text", "a.png", "image/png", 415, "unsupported_media_type"),
            (photo(), "a.svg", "image/svg+xml", 415, "unsupported_media_type"),
            (photo()[:80], "a.png", "image/png", 422, "invalid_picture"),
            (
                b"\x89PNG\r\n\x1a\n" + b"0" * 10_485_760,
                "a.png",
                "image/png",
                413,
                "payload_too_large",
            ),
        ],
    )
    def test_refusals_are_problems(
        self, api: ApiClient, content: bytes, name: str, content_type: str, status: int, code: str
    ) -> None:
        answer = api.upload("/api/images/upload", file=file(content, name, content_type))
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert not StoredFile.objects.exists()

    def test_a_body_without_a_file(self, api: ApiClient) -> None:
        for answer in (
            api.upload("/api/images/upload", other=file(photo())),
            api.upload("/api/images/upload", file="text"),
            api.post("/api/images/upload", {"file": "text"}),
        ):
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["path"] == "file"

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"nonsense", "multipart/form-data"),
            (b"nonsense", "multipart/form-data; boundary=\xff"),
            (b"--b\r\n" * 300, "multipart/form-data; boundary=b"),
        ],
    )
    def test_a_body_that_is_no_form(self, api: ApiClient, body: bytes, content_type: str) -> None:
        answer = api.post("/api/images/upload", body, content_type=content_type)
        assert answer.status_code in {400, 422}
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_uploads_are_counted(self, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "UPLOADS", Limit(1, timedelta(minutes=1)))
        upload(api)
        answer = api.upload("/api/images/upload", file=file(photo()))
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0

    def test_only_for_those_who_are_signed_in(self) -> None:
        answer = ApiClient().upload("/api/images/upload", file=file(photo()))
        assert answer.status_code == 401


class TestGenerate:
    def test_the_answer_comes_at_once(self, api: ApiClient) -> None:
        body = generate(api, style="cartoon", prompt="  with a hat ")
        assert set(body) == KEYS
        assert body["status"] == "pending"
        assert (body["style"], body["prompt"]) == ("cartoon-style", "with a hat")
        assert body["generatedUrl"] is body["processingTime"] is body["errorMessage"] is None

    def test_the_same_key_asks_once(self, api: ApiClient) -> None:
        body = {"uploadId": upload(api), "style": "cute", "size": "small"}
        key = {"Idempotency-Key": "one"}
        first, second = (
            api.post("/api/images/generate", body, headers=key),
            api.post("/api/images/generate", body, headers=key),
        )
        assert first.json() == second.json()
        assert second.headers["Idempotent-Replayed"] == "true"
        other = api.post("/api/images/generate", {**body, "size": "large"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
        assert api.get("/api/credits/balance").json() == {"balance": 99, "held": 1}

    def test_no_credits(self) -> None:
        api = client_for(make_user(credits=0))
        answer = api.post("/api/images/generate", {"uploadId": upload(api)})
        assert answer.status_code == 402
        document = answer.json()
        assert document["code"] == "insufficient_credits"
        assert document["pricingUrl"] == "http://testserver/plushify/pricing"
        assert {"type", "title", "status", "detail"} <= set(document)

    @pytest.mark.parametrize(
        ("wish", "path"),
        [
            ({"style": "rubber"}, "style"),
            ({"size": "huge"}, "size"),
            ({"prompt": "x" * 501}, "prompt"),
            ({"uploadId": "1"}, "uploadId"),
            ({"surprise": 1}, "surprise"),
        ],
    )
    def test_wishes_that_cannot_be(self, api: ApiClient, wish: dict[str, Any], path: str) -> None:
        answer = api.post("/api/images/generate", {"uploadId": str(uuid.uuid4()), **wish})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["path"] == path

    def test_another_persons_upload_does_not_exist(self, api: ApiClient) -> None:
        theirs = upload(client_for(make_user()))
        answer = api.post("/api/images/generate", {"uploadId": theirs})
        assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")

    def test_few_statements(self, api: ApiClient) -> None:
        generate(api)
        body = {"uploadId": upload(api), "style": "cute", "size": "small"}
        with CaptureQueriesContext(connection) as queries:
            api.post("/api/images/generate", body, headers={"Idempotency-Key": "count"})
        spoken = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
        assert len(spoken) <= STATEMENTS, spoken


class TestGallery:
    def test_one_picture(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        complete(image_id)
        body = api.get(f"/api/images/{image_id}").json()
        assert set(body) == KEYS
        assert (body["status"], body["processingTime"]) == ("completed", 1200)
        assert Client().get(body["generatedUrl"]).status_code == 200

    def test_newest_first_page_by_page(self, api: ApiClient) -> None:
        made = [generate(api)["id"] for _ in range(3)][::-1]
        first = api.get("/api/images?limit=2").json()
        assert [item["id"] for item in first["items"]] == made[:2]
        rest = api.get(f"/api/images?limit=2&cursor={first['nextCursor']}").json()
        assert [item["id"] for item in rest["items"]] == made[2:]
        assert rest["nextCursor"] is None
        assert ids(api.get("/api/images?sort=oldest")) == made[::-1]

    def test_favorites_first(self, api: ApiClient) -> None:
        old, middle, new = (generate(api)["id"] for _ in range(3))
        assert api.post(f"/api/images/{old}/favorite").json()["isFavorite"] is True
        first = api.get("/api/images?sort=favorites&limit=2").json()
        assert [item["id"] for item in first["items"]] == [old, new]
        rest = api.get(f"/api/images?sort=favorites&limit=2&cursor={first['nextCursor']}")
        assert ids(rest) == [middle]

    def test_search_and_filter(self, api: ApiClient) -> None:
        blue = generate(api, prompt="A Blue scarf, 100% wool")["id"]
        plain = generate(api)["id"]
        complete(plain)
        assert ids(api.get("/api/images?search=blue")) == [blue]
        assert ids(api.get("/api/images?search=100%25")) == [blue]
        assert ids(api.get("/api/images?search=%25zzz")) == []
        assert ids(api.get("/api/images?status=completed")) == [plain]
        assert ids(api.get("/api/images?status=pending&search=BLUE")) == [blue]
        assert ids(api.get(f"/api/images?search={plain}")) == [plain]
        assert ids(api.get(f"/api/images?search={plain.upper()[:-1]}")) == [plain]
        assert api.get("/api/images?search=%00").status_code == 422

    def test_questions_that_make_no_sense(self, api: ApiClient) -> None:
        for query in ("status=lost", "sort=random", "limit=0", "limit=101", "cursor=x"):
            assert api.get(f"/api/images?{query}").status_code == 422

    def test_queries_do_not_grow_with_rows(self, api: ApiClient) -> None:
        def spoken() -> int:
            with CaptureQueriesContext(connection) as queries:
                api.get("/api/images")
            return len(queries)

        complete(generate(api)["id"])
        few = spoken()
        for _ in range(4):
            complete(generate(api)["id"])
        assert spoken() == few <= 2

    def test_nothing_of_somebody_else(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        stranger = client_for(make_user())
        path = f"/api/images/{image_id}"
        assert ids(stranger.get("/api/images")) == []
        for answer in (
            stranger.get(path),
            stranger.delete(path),
            stranger.post(f"{path}/download"),
            stranger.post(f"{path}/favorite"),
            stranger.post(f"{path}/cancel"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "generation_not_found")


class TestActs:
    def test_favorite_is_turned_over_or_set(self, api: ApiClient) -> None:
        path = f"/api/images/{generate(api)['id']}/favorite"
        said = [
            api.post(path).json()["isFavorite"],
            api.post(path, {"isFavorite": True}).json()["isFavorite"],
            api.post(path).json()["isFavorite"],
            api.post(path, b"").json()["isFavorite"],
        ]
        assert said == [True, True, False, True]

    def test_download(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        answer = api.post(f"/api/images/{image_id}/download")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_completed")
        complete(image_id)
        body = api.post(f"/api/images/{image_id}/download").json()
        assert re.fullmatch(r"plush-cute-fluffy-[0-9a-f]{8}\.png", body["filename"])
        saved = Client().get(body["url"])
        assert saved.headers["Content-Disposition"] == f'attachment; filename="{body["filename"]}"'

    def test_cancel(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        body = api.post(f"/api/images/{image_id}/cancel").json()
        assert body["status"] == "failed"
        assert (
            body["errorMessage"] == "You cancelled this picture. Your credit has been given back."
        )
        again = api.post(f"/api/images/{image_id}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "not_pending")
        assert api.get("/api/credits/balance").json() == {"balance": 100, "held": 0}

    def test_delete(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        assert api.delete(f"/api/images/{image_id}").status_code == 204
        assert api.get(f"/api/images/{image_id}").status_code == 404
        assert api.get("/api/credits/balance").json() == {"balance": 100, "held": 0}

    def test_what_is_being_made_is_not_deleted(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        Generation.objects.update(status="processing")
        answer = api.delete(f"/api/images/{image_id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "still_processing")

    def test_the_history_tells_of_the_refund(self, api: ApiClient) -> None:
        image_id = generate(api)["id"]
        give_back(Generation.objects.get(pk=image_id), "No luck.")
        refund, deduction = api.get("/api/credits/history?limit=2").json()["items"]
        assert (refund["type"], refund["amount"], refund["balance"]) == ("refund", 1, 100)
        assert (deduction["type"], deduction["status"]) == ("deduction", "failed")
        assert refund["metadata"]["generationId"] == image_id


class TestLinks:
    def test_what_a_link_gives(self, user: User) -> None:
        stored = store_file(photo(), purpose="upload", content_type="image/png", owner_id=user.pk)
        link = signed_link(stored.pk)
        assert link == signed_link(stored.pk)
        shown = Client().get(link)
        assert b"".join(shown) == photo()
        headers = shown.headers
        assert headers["Content-Type"] == "image/png"
        assert headers["Content-Length"] == str(stored.size)
        assert headers["Content-Disposition"] == "inline"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        head = Client().head(link)
        assert (head.content, head.headers["Content-Length"]) == (b"", str(stored.size))
        assert Client().post(link).status_code == 405

    def test_a_link_ends(self, user: User, turn_clock: Callable[[timedelta], None]) -> None:
        stored = store_file(photo(), purpose="upload", content_type="image/png", owner_id=user.pk)
        link = signed_link(stored.pk)
        turn_clock(timedelta(minutes=59))
        assert Client().get(link).status_code == 200
        turn_clock(timedelta(minutes=12))
        assert Client().get(link).status_code == 404

    def test_a_link_that_was_tampered_with(self, user: User) -> None:
        one, other = (
            signed_link(
                store_file(photo(), purpose="upload", content_type="image/png", owner_id=None).pk
            )
            for _ in range(2)
        )
        payload, _, signature = one.rpartition(":")
        for forged in (
            payload,
            payload + ":",
            f"{payload}:{signature[:-1]}",
            f"{other.rpartition(':')[0]}:{signature}",
            f"{payload}x:{signature}",
            payload.rpartition("/")[0] + "/..%2f..%2fetc%2fpasswd",
            payload.rpartition("/")[0] + "/%00",
            payload.rpartition("/")[0] + "/ü:ü",
        ):
            assert Client().get(forged).status_code == 404, forged

    def test_a_deleted_file(self, user: User) -> None:
        stored = store_file(photo(), purpose="upload", content_type="image/png", owner_id=user.pk)
        link = signed_link(stored.pk)
        name = stored.name
        stored.name = "upload/00/lost.png"
        stored.save()
        assert Client().get(link).status_code == 404
        stored.name = name
        delete_file(stored)
        assert Client().get(link).status_code == 404
