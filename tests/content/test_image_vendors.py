"""What each image provider says in words of its own."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from house.image_calls import CASES, CREATE, make, replicate_done
from house.photos import encoded, opened, photo
from house.vendors import (
    MODEL,
    PICTURE,
    Answer,
    Asked,
    Vendor,
    b64,
    gemini_error,
    gemini_picture,
    openai_error,
    openai_picture,
    prediction,
    replicate_model,
)
from markethall.content.imaging.providers.base import (
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    ProviderWorking,
    QuotaExhausted,
    UnusableAnswer,
)
from markethall.content.imaging.providers.registry import provider_named


class TestGemini:
    PATH = CASES["gemini"].path

    def test_the_request(self, server: Vendor) -> None:
        server.lay("POST", self.PATH, gemini_picture())
        usage = make("gemini").usage
        body = server.asked[0].json
        assert body["generationConfig"]["responseModalities"] == ["IMAGE"]
        assert body["generationConfig"]["imageConfig"] == {"aspectRatio": "3:2"}
        assert {one["threshold"] for one in body["safetySettings"]} == {"BLOCK_MEDIUM_AND_ABOVE"}
        image, text = body["contents"][0]["parts"]
        assert opened(base64.urlsafe_b64decode(image["inlineData"]["data"])).format == "JPEG"
        assert "cute and fluffy" in text["text"]
        assert (usage.text_in, usage.image_in, usage.image_out) == (342, 258, 1120)

    def test_a_blocked_prompt(self, server: Vendor) -> None:
        blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
        server.lay("POST", self.PATH, Answer(200, blocked))
        with pytest.raises(ProviderRefused) as refusal:
            make("gemini")
        assert refusal.value.reason == "prompt blocked: PROHIBITED_CONTENT"

    @pytest.mark.parametrize("reason", ["NO_IMAGE", "IMAGE_OTHER", "MAX_TOKENS", "SOMETHING_NEW"])
    def test_no_picture_for_no_fault_of_the_wish(self, server: Vendor, reason: str) -> None:
        parts = {"role": "model", "parts": [{"text": "I would rather talk."}]}
        server.lay("POST", self.PATH, gemini_picture(finishReason=reason, content=parts))
        with pytest.raises(UnusableAnswer) as error:
            make("gemini")
        assert error.value.usage.text_in == 342

    def test_thoughts_are_no_picture(self, server: Vendor) -> None:
        draft = {"inlineData": {"mimeType": "image/png", "data": b64(photo("PNG", (300, 300)))}}
        final = {"inlineData": {"mimeType": "image/png", "data": b64(PICTURE)}}
        parts = {"role": "model", "parts": [{**draft, "thought": True}, final]}
        server.lay("POST", self.PATH, gemini_picture(content=parts))
        assert make("gemini").height == 512

    def test_pauses_and_quotas_of_google(self, server: Vendor) -> None:
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36s"}
        quota = {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}],
        }
        limited = gemini_error(429, "RESOURCE_EXHAUSTED", retry)
        server.lay("POST", self.PATH, limited, gemini_error(429, "RESOURCE_EXHAUSTED", quota))
        with pytest.raises(ProviderUnavailable) as error:
            make("gemini")
        assert error.value.retry_after == 36.0
        with pytest.raises(QuotaExhausted):
            make("gemini")

    def test_a_wrong_key(self, server: Vendor) -> None:
        invalid = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
        }
        server.lay("POST", self.PATH, gemini_error(400, "INVALID_ARGUMENT", invalid))
        with pytest.raises(ProviderMisconfigured):
            make("gemini")

    def test_the_probe(self, server: Vendor) -> None:
        path = "/v1/models/gemini-nano-banana-2.1"
        named = {"name": path[4:], "displayName": "Nano Banana 2.1"}
        server.lay("GET", path, Answer(200, named), gemini_error(403, "PERMISSION_DENIED"))
        assert provider_named("gemini").probe() == "Nano Banana 2.1 answers"
        with pytest.raises(ProviderMisconfigured):
            provider_named("gemini").probe()


class TestOpenAI:
    @pytest.mark.parametrize(
        ("shape", "side", "size", "quality"),
        [
            ((300, 200), 512, "1536x1024", "low"),
            ((200, 300), 768, "1024x1536", "medium"),
            ((300, 290), 1024, "1024x1024", "high"),
        ],
    )
    def test_the_request(
        self, server: Vendor, shape: tuple[int, int], side: int, size: str, quality: str
    ) -> None:
        server.lay("POST", "/v1/images/edits", openai_picture())
        made = make("openai", original=photo("PNG", shape), longer_side=side, person="hashed")
        asked = server.asked[0]
        for name, value in {
            "size": size,
            "quality": quality,
            "model": "gpt-image-2.6-flare",
            "output_format": "png",
            "safety_identifier": "hashed",
            "n": "1",
        }.items():
            assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in asked.body, name
        assert b'filename="photo.jpg"\r\nContent-Type: image/jpeg' in asked.body
        assert (made.usage.text_in, made.usage.image_in, made.usage.image_out) == (377, 323, 1000)

    def test_no_money(self, server: Vendor) -> None:
        broke = openai_error(429, "insufficient_quota", "insufficient_quota")
        server.lay("POST", "/v1/images/edits", broke)
        with pytest.raises(QuotaExhausted):
            make("openai")

    def test_the_probe(self, server: Vendor) -> None:
        model = {"id": "gpt-image-2.6-flare", "object": "model", "created": 1, "owned_by": "openai"}
        denied = openai_error(401, "invalid_api_key", "invalid_request_error")
        server.lay("GET", "/v1/models/gpt-image-2.6-flare", Answer(200, model), denied)
        assert provider_named("openai").probe() == "gpt-image-2.6-flare answers"
        with pytest.raises(ProviderMisconfigured) as error:
            provider_named("openai").probe()
        assert str(error.value) == "401 invalid_api_key"


class TestStability:
    def test_the_request(self, server: Vendor) -> None:
        server.lay("POST", CASES["stability"].path, CASES["stability"].success())
        make("stability", seed=2**32 - 1)
        asked = server.asked[0]
        assert asked.headers["accept"] == "image/*"
        for name, value in {
            "control_strength": "0.65",
            "seed": "1",
            "output_format": "png",
        }.items():
            assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in asked.body, name
        assert b'name="negative_prompt"' in asked.body

    def test_a_filtered_picture(self, server: Vendor) -> None:
        filtered = Answer(200, PICTURE, {"finish-reason": "CONTENT_FILTERED"})
        server.lay("POST", CASES["stability"].path, filtered)
        with pytest.raises(ProviderRefused):
            make("stability")

    def test_the_probe(self, server: Vendor) -> None:
        server.lay("GET", "/v1/user/balance", Answer(200, {"credits": 1234.5}))
        assert provider_named("stability").probe() == "1,234 credits left"
        server.lay("GET", "/v1/user/balance", Answer(200, {"credits": 0}))
        with pytest.raises(QuotaExhausted):
            provider_named("stability").probe()
        server.lay("GET", "/v1/user/balance", Answer(200, {"money": 1}))
        with pytest.raises(UnusableAnswer):
            provider_named("stability").probe()


class TestReplicate:
    def test_the_request(self, server: Vendor) -> None:
        server.lay("POST", CREATE, replicate_done())
        make("replicate", callback="https://hall.example/told?call=1")
        body = server.asked_for("POST", CREATE)[0].json
        assert body["webhook"] == "https://hall.example/told?call=1"
        assert body["webhook_events_filter"] == ["completed"]
        wanted = body["input"]
        assert wanted["input_image"].startswith("data:image/jpeg;base64,")
        assert wanted["aspect_ratio"] == "match_input_image"
        assert (wanted["output_format"], wanted["safety_tolerance"]) == ("png", 2)
        assert wanted["seed"] == 77
        assert "negative_prompt" not in wanted

    def test_another_models_words(self, server: Vendor) -> None:
        fields = {
            "prompt": {"type": "string"},
            "input_images": {"type": "array", "items": {"type": "string", "format": "uri"}},
        }
        server.lay("GET", f"/v1/models/{MODEL}", replicate_model(**fields))
        server.lay("POST", CREATE, replicate_done())
        make("replicate")
        wanted = server.asked_for("POST", CREATE)[0].json["input"]
        assert set(wanted) == {"prompt", "input_images"}
        assert len(wanted["input_images"]) == 1

    def test_a_model_that_edits_no_pictures(self, server: Vendor) -> None:
        server.lay("GET", f"/v1/models/{MODEL}", replicate_model(text={"type": "string"}))
        with pytest.raises(ProviderMisconfigured, match="does not edit"):
            make("replicate")

    def test_a_version(self, server: Vendor, settings: Any) -> None:
        settings.ENVIRONMENT.replicate_model = f"{MODEL}:{'ab' * 32}"
        server.lay("POST", "/v1/predictions", replicate_done())
        make("replicate")
        assert server.asked_for("POST", "/v1/predictions")[0].json["version"] == "ab" * 32

    @pytest.mark.parametrize("status", ["starting", "processing"])
    def test_it_goes_on(self, server: Vendor, status: str) -> None:
        server.lay("POST", CREATE, Answer(201, prediction("p7", status)))
        with pytest.raises(ProviderWorking) as work:
            make("replicate")
        assert work.value.ref == "p7"
        assert work.value.again_in == timedelta(seconds=2)

    def test_it_is_taken_up_by_its_id(self, server: Vendor) -> None:
        place = f"{server.url}/output.png"
        done = prediction("p7", "succeeded", output=[place])
        server.lay("GET", "/v1/predictions/p7", Answer(200, done))
        server.lay("GET", "/output.png", Answer(200, PICTURE))
        assert make("replicate", resume="p7").width == 768
        assert not server.asked_for("POST", "/")
        assert "authorization" not in server.asked_for("GET", "/output.png")[0].headers

    def test_a_picture_elsewhere(self, server: Vendor) -> None:
        for place in ("http://169.254.169.254/latest", "file:///etc/passwd", 7, None, []):
            done = prediction("p7", "succeeded", output=place)
            server.lay("GET", "/v1/predictions/p7", Answer(200, done))
            with pytest.raises(UnusableAnswer):
                make("replicate", resume="p7")

    def test_a_lost_one_is_found_by_its_seed(self, server: Vendor) -> None:
        since = datetime(2026, 11, 21, 11, 59, tzinfo=UTC)
        other = prediction("p1", "succeeded", input={"seed": 76})
        failed = prediction("p2", "failed", input={"seed": 77})
        lost = prediction("p3", "processing", input={"seed": 77})
        following = "/v1/predictions?cursor=abc"

        def page(asked: Asked) -> Answer:
            if "cursor" in asked.path:
                return Answer(200, {"previous": None, "next": None, "results": [lost]})
            return Answer(200, {"previous": None, "next": following, "results": [other, failed]})

        server.lay("GET", "/v1/predictions", page)
        with pytest.raises(ProviderWorking) as work:
            make("replicate", lost_since=since)
        assert work.value.ref == "p3"
        assert not server.asked_for("POST", "/")

    def test_none_was_lost(self, server: Vendor) -> None:
        old = prediction("p1", "succeeded", created_at="2026-11-21T11:00:00.000Z", input={})
        following = f"{server.url}/v1/predictions?cursor=abc"
        server.lay(
            "GET",
            "/v1/predictions",
            Answer(200, {"previous": None, "next": following, "results": [old]}),
        )
        server.lay("POST", CREATE, replicate_done())
        make("replicate", lost_since=datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
        assert len(server.asked_for("GET", "/v1/predictions")) == 1
        assert len(server.asked_for("POST", CREATE)) == 1

    def test_one_that_never_ends_is_cancelled(self, server: Vendor) -> None:
        server.lay("GET", "/v1/predictions/p7", Answer(200, prediction("p7", "processing")))
        cancelled = Answer(200, prediction("p7", "canceled"))
        server.lay("POST", "/v1/predictions/p7/cancel", cancelled)
        with pytest.raises(ProviderUnavailable, match="cancelled"):
            make("replicate", resume="p7", waited=timedelta(minutes=11))
        assert server.asked_for("POST", "/v1/predictions/p7/cancel")

    def test_a_failure_of_the_model(self, server: Vendor) -> None:
        server.lay("POST", CREATE, Answer(201, prediction("p7", "failed", error="CUDA")))
        with pytest.raises(ProviderUnavailable) as error:
            make("replicate")
        assert error.value.outcome == "unavailable"

    def test_a_limit_on_looking_does_not_hold_up_the_worker(self, server: Vendor) -> None:
        busy = Answer(429, {}, {"Retry-After": "9"})
        server.lay("GET", "/v1/predictions/p7", busy)
        with pytest.raises(ProviderUnavailable) as error:
            make("replicate", resume="p7")
        assert error.value.retry_after == 9.0
        assert len(server.asked) == 1

    def test_the_probe(self, server: Vendor) -> None:
        account = {"type": "organization", "username": "hall", "name": "Hall", "github_url": None}
        server.lay("GET", "/v1/account", Answer(200, account))
        assert provider_named("replicate").probe() == f"{MODEL} answers, as hall"
        server.lay("GET", "/v1/account", Answer(401, {"title": "Unauthenticated"}))
        with pytest.raises(ProviderMisconfigured):
            provider_named("replicate").probe()


def test_a_jpeg_answer_and_metadata_are_encoded_anew(server: Vendor) -> None:
    picture = encoded(opened(PICTURE).convert("RGB"), "JPEG", comment=b"made with love")
    answer = Answer(200, picture, {"Content-Type": "image/jpeg"})
    server.lay("POST", CASES["stability"].path, answer)
    made = make("stability")
    assert made.content_type == "image/png"
    assert b"made with love" not in made.content
