"""From the wish over HTTP to the picture in the gallery, by providers on loopback."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from svix import Webhook

from house.image_calls import CASES, CREATE
from house.jobs import run_jobs
from house.people import ApiClient, client_for, make_user, page_client
from house.photos import opened, photo
from house.vendors import (
    KEYS,
    MODEL,
    PICTURE,
    Answer,
    Vendor,
    gemini_picture,
    openai_picture,
    prediction,
    replicate_model,
    vendor,
)
from markethall.content.imaging.calls import callback_of
from markethall.content.imaging.models import Generation, ProviderCall
from markethall.content.imaging.providers import replicate as replicate_provider
from markethall.flows import generation as flow
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.ledger.queries import Balance, balance_of

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_" + "c2VjcmV0LW9mLXJlcGxpY2F0ZS1mb3ItdGVzdHM="
HOOK = "/api/webhooks/replicate"


@pytest.fixture
def server(settings: Any) -> Iterator[Vendor]:
    replicate_provider._schema.cache_clear()
    with vendor() as server:
        server.lay("GET", f"/v1/models/{MODEL}", replicate_model())
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={
                **KEYS,
                "image_timeout": 5,
                "gemini_base_url": server.url,
                "openai_base_url": f"{server.url}/v1",
                "replicate_base_url": server.url,
                "stability_base_url": server.url,
            }
        )
        yield server


@pytest.fixture
def user() -> User:
    return make_user()


def use(settings: Any, *chain: str, **more: Any) -> None:
    update = {"image_provider": chain[0], "image_fallbacks": list(chain[1:]), **more}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=update)


def ask(api: ApiClient) -> str:
    file = io.BytesIO(photo("JPEG", (300, 200)))
    file.name = "photo.jpg"
    upload = api.upload("/api/images/upload", file=file).json()["id"]
    answer = api.post("/api/images/generate", {"uploadId": upload, "prompt": "a red bow"})
    assert answer.status_code == 202
    return str(answer.json()["id"])


def run(image_id: str) -> Generation:
    """The job, as often as it asks to be run again."""
    for _ in range(12):
        flow.run_generation(Generation.objects.get(pk=image_id).pk)
        found = Generation.objects.get(pk=image_id)
        if found.status not in {"pending", "processing"}:
            break
    return found


def calls() -> list[tuple[str, str]]:
    return list(ProviderCall.objects.order_by("pk").values_list("provider", "outcome"))


def faults() -> list[str]:
    return [fault for result in check_ledger() for fault in result.faults]


def outage(name: str) -> Answer:
    return CASES[name].error(503)


@pytest.mark.parametrize("name", list(CASES))
def test_the_whole_way(server: Vendor, settings: Any, user: User, name: str) -> None:
    use(settings, name)
    server.lay("POST", CASES[name].path, CASES[name].success())
    api = client_for(user)
    image_id = ask(api)
    run_jobs(["imaging"])
    shown = api.get(f"/api/images/{image_id}").json()
    assert shown["status"] == "completed"
    assert api.get("/api/images").json()["items"][0]["id"] == image_id
    made = opened(b"".join(Client().get(shown["generatedUrl"])))
    assert made.size == (768, 512)
    assert balance_of(user.pk) == Balance(9, 0)
    call = ProviderCall.objects.get()
    assert (call.provider, call.outcome, call.error) == (name, "made", "")
    assert call.cost_micros is not None
    assert call.cost_micros > 0
    assert call.ms is not None
    assert faults() == []


@pytest.mark.parametrize("name", list(CASES))
def test_a_refusal_gives_the_credit_back(
    server: Vendor, settings: Any, user: User, name: str
) -> None:
    use(settings, name, "local")
    server.lay("POST", CASES[name].path, CASES[name].refusal)
    api = client_for(user)
    image_id = ask(api)
    run_jobs(["imaging"])
    shown = api.get(f"/api/images/{image_id}").json()
    assert shown["status"] == "failed"
    assert shown["errorMessage"].startswith("This photo or note is not something we can make")
    assert shown["errorMessage"].endswith("Your credit has been given back.")
    assert api.get("/api/credits/balance").json() == {"balance": 10, "held": 0}
    assert calls() == [(name, "refused")]
    assert faults() == []


def test_the_next_one_is_asked(server: Vendor, settings: Any, user: User) -> None:
    use(settings, "gemini", "openai", "stability")
    server.lay("POST", CASES["gemini"].path, outage("gemini"))
    server.lay("POST", CASES["openai"].path, CASES["openai"].error(401))
    server.lay("POST", CASES["stability"].path, CASES["stability"].success())
    done = run(ask(client_for(user)))
    assert (done.status, done.provider, done.attempts) == ("completed", "stability", 4)
    assert calls() == [
        ("gemini", "unavailable"),
        ("gemini", "unavailable"),
        ("openai", "misconfigured"),
        ("stability", "made"),
    ]
    assert balance_of(user.pk) == Balance(9, 0)


def test_when_nobody_answers(server: Vendor, settings: Any, user: User) -> None:
    use(settings, "gemini", "openai")
    for name in ("gemini", "openai"):
        server.lay("POST", CASES[name].path, outage(name))
    done = run(ask(client_for(user)))
    assert (done.status, done.attempts) == ("failed", 4)
    assert done.error_message.startswith(flow.GAVE_UP)
    assert "503" not in done.error_message
    assert balance_of(user.pk) == Balance(10, 0)
    assert faults() == []


def test_an_outage_for_everybody_is_remembered(
    server: Vendor,
    settings: Any,
    user: User,
    turn_clock: Callable[[timedelta], None],
) -> None:
    use(settings, "gemini", "openai")
    server.lay("POST", CASES["gemini"].path, outage("gemini"))
    server.lay("POST", CASES["openai"].path, openai_picture())
    api = client_for(user)
    for _ in range(2):
        run(ask(api))
    assert [name for name, _ in calls()] == ["gemini", "gemini", "openai", "gemini", "openai"]
    run(ask(api))
    assert calls()[5:] == [("openai", "made")]
    turn_clock(timedelta(minutes=2))
    server.lay("POST", CASES["gemini"].path, gemini_picture())
    run(ask(api))
    assert calls()[6:] == [("gemini", "made")]


def test_a_worker_that_dies_in_the_call_spends_once(
    server: Vendor, settings: Any, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(settings, "openai")
    server.lay("POST", CASES["openai"].path, openai_picture())
    image_id = ask(client_for(user))
    with monkeypatch.context() as patch:
        patch.setattr(flow, "end_call", _die)
        with pytest.raises(KeyboardInterrupt):
            run(image_id)
    assert balance_of(user.pk) == Balance(9, 1)
    assert run(image_id).status == "completed"
    assert calls() == [("openai", "lost"), ("openai", "made")]
    assert balance_of(user.pk) == Balance(9, 0)
    assert faults() == []


class TestReplicate:
    @pytest.fixture(autouse=True)
    def replicate(self, server: Vendor, settings: Any) -> None:
        use(settings, "replicate", replicate_webhook_secret=SECRET)
        settings.SITE_URL = "https://testserver"
        server.lay("POST", CREATE, Answer(201, prediction("p9", "starting")))
        server.lay("GET", "/v1/predictions/p9", Answer(200, prediction("p9", "processing")))
        server.lay("GET", "/v1/predictions", Answer(200, _page()))

    def finish(self, server: Vendor) -> None:
        done = prediction("p9", "succeeded", output=f"{server.url}/out.png")
        server.lay("GET", "/v1/predictions/p9", Answer(200, done))
        server.lay("GET", "/out.png", Answer(200, PICTURE))

    def test_polling_ends_it(self, server: Vendor, user: User) -> None:
        image_id = ask(client_for(user))
        for _ in range(3):
            flow.run_generation(Generation.objects.get(pk=image_id).pk)
        assert calls() == [("replicate", "working")]
        self.finish(server)
        assert run(image_id).status == "completed"
        assert len(server.asked_for("POST", CREATE)) == 1
        assert ProviderCall.objects.get().cost_micros == 40_000
        assert balance_of(user.pk) == Balance(9, 0)

    def test_the_webhook_ends_it_once(self, server: Vendor, user: User) -> None:
        image_id = ask(client_for(user))
        flow.run_generation(Generation.objects.get(pk=image_id).pk)
        self.finish(server)
        body = prediction("p9", "succeeded", output=f"{server.url}/out.png")
        for _ in range(3):
            assert hook(body).status_code == 200
        run_jobs(["imaging"])
        assert Generation.objects.get(pk=image_id).status == "completed"
        assert hook(body).status_code == 200
        assert len(server.asked_for("GET", "/v1/predictions/p9")) == 1
        assert calls() == [("replicate", "made")]
        assert balance_of(user.pk) == Balance(9, 0)
        assert faults() == []

    def test_webhooks_that_are_not_believed(self, user: User) -> None:
        flow.run_generation(Generation.objects.get(pk=ask(client_for(user))).pk)
        body = prediction("p9", "succeeded")
        old = datetime.now(UTC) - timedelta(minutes=6)
        answers = [
            hook(body, secret="whsec_" + "b3RoZXItc2VjcmV0LW9mLXNvbWVib2R5"),
            hook(body, at=old),
            hook(body, sent={**body, "id": "p10"}),
            ApiClient().post(HOOK, body),
        ]
        assert {answer.status_code for answer in answers} == {400}
        assert {answer.json()["code"] for answer in answers} == {"invalid_signature"}
        assert ProviderCall.objects.get().webhook_at is None

    @pytest.mark.parametrize("body", [{"id": "p404", "status": "succeeded"}, {"id": "p9"}, [], 7])
    def test_webhooks_about_nothing(self, user: User, body: Any) -> None:
        flow.run_generation(Generation.objects.get(pk=ask(client_for(user))).pk)
        assert hook(body).status_code == 200
        assert ProviderCall.objects.get().webhook_at is None

    def test_no_webhooks_without_a_secret(self, settings: Any) -> None:
        use(settings, "replicate", replicate_webhook_secret=None)
        assert hook(prediction("p9", "succeeded")).status_code == 400

    def test_killed_before_the_id_was_written_the_webhook_tells_it(
        self, server: Vendor, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image_id = ask(client_for(user))
        with monkeypatch.context() as patch:
            patch.setattr(flow, "keep_reference", _die)
            with pytest.raises(KeyboardInterrupt):
                run(image_id)
        self.finish(server)
        told = server.asked_for("POST", CREATE)[0].json["webhook"]
        assert told == callback_of(ProviderCall.objects.get())
        address = told.removeprefix("https://testserver")
        assert hook(prediction("p9", "succeeded"), address).status_code == 200
        assert run(image_id).status == "completed"
        assert len(server.asked_for("POST", CREATE)) == 1
        assert balance_of(user.pk) == Balance(9, 0)

    def test_killed_before_the_id_was_written_it_is_looked_for(
        self, server: Vendor, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        image_id = ask(client_for(user))
        with monkeypatch.context() as patch:
            patch.setattr(flow, "keep_reference", _die)
            with pytest.raises(KeyboardInterrupt):
                run(image_id)
        self.finish(server)
        seed = server.asked_for("POST", CREATE)[0].json["input"]["seed"]
        done = prediction("p9", "succeeded", output=f"{server.url}/out.png", input={"seed": seed})
        server.lay("GET", "/v1/predictions", Answer(200, _page(done)))
        assert run(image_id).status == "completed"
        assert len(server.asked_for("POST", CREATE)) == 1
        assert faults() == []

    def test_a_made_up_address_names_no_call(self, server: Vendor, user: User) -> None:
        image_id = ask(client_for(user))
        flow.run_generation(Generation.objects.get(pk=image_id).pk)
        call = ProviderCall.objects.get()
        forged = f"{HOOK}?call={call.pk.hex}:nothing"
        assert hook(prediction("p66", "succeeded"), forged).status_code == 200
        assert ProviderCall.objects.get().reference == "p9"


def test_staff_see_what_providers_do(server: Vendor, settings: Any, user: User) -> None:
    use(settings, "gemini", "openai")
    server.lay("POST", CASES["gemini"].path, outage("gemini"))
    server.lay("POST", CASES["openai"].path, openai_picture())
    run(ask(client_for(user)))
    admin = make_user(role=Role.ADMIN)
    gemini, openai = client_for(admin).get("/api/images/providers").json()["items"]
    assert (gemini["failed"], gemini["success"], gemini["costMicros"]) == (2, 0.0, 0)
    assert (openai["made"], openai["success"], openai["unpriced"]) == (1, 1.0, 0)
    # 377 text and 323 image tokens in, 1000 out, at 5, 8 and 30 micro-USD.
    assert openai["costMicros"] == 34_469
    found = client_for(admin).get("/api/images/providers/calls?outcome=faults").json()["items"]
    assert {(one["provider"], one["error"]) for one in found} == {("gemini", "503 UNKNOWN")}
    page = page_client(admin).get("/console/image-providers").content.decode()
    assert "503 UNKNOWN" in page
    figures = page_client(admin).get("/console/image-providers/figures").content.decode()
    assert "$0.034" in figures
    assert "What do pictures cost us?" in figures
    assert "1 made a picture and 2 failed" in figures


def hook(
    body: Any,
    path: str = HOOK,
    *,
    secret: str = SECRET,
    at: datetime | None = None,
    sent: Any = None,
) -> Any:
    """A webhook as Replicate signs it, with the library that its signatures are made for."""
    at, text = at or datetime.now(UTC), json.dumps(body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, text),
    }
    content = text if sent is None else json.dumps(sent)
    return ApiClient().post(path, content, headers=headers)


def _page(*found: Any) -> dict[str, Any]:
    return {"previous": None, "next": None, "results": list(found)}


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
