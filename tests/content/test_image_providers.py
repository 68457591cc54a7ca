"""What holds for every provider, over real HTTP, through its own SDK where it has one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from house.image_calls import CASES, Case, make
from house.photos import jpeg_of, moving, opened, photo, png_of
from house.vendors import (
    KEYS,
    PICTURE,
    Answer,
    Vendor,
)
from markethall.content.imaging.providers import wire
from markethall.content.imaging.providers.base import (
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    QuotaExhausted,
    RequestRejected,
    UnusableAnswer,
)

every_vendor = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


class TestAll:
    @every_vendor
    def test_a_picture(self, server: Vendor, case: Case) -> None:
        server.lay("POST", case.path, case.success())
        made = make(case.name)
        assert (made.width, made.height) == opened(made.content).size == (768, 512)
        assert made.usage.pictures == 1
        (asked,) = server.asked_for("POST", case.path)
        assert b"red bow" in asked.body
        key = {"replicate": "replicate_api_token"}.get(case.name, f"{case.name}_api_key")
        assert any(KEYS[key] in value for value in asked.headers.values())
        assert not {value for name, value in KEYS.items() if name != key} & set(
            asked.headers.values()
        )

    @every_vendor
    def test_a_refusal_is_told_in_our_words(self, server: Vendor, case: Case) -> None:
        server.lay("POST", case.path, case.refusal)
        with pytest.raises(ProviderRefused) as refusal:
            make(case.name)
        assert refusal.value.message.startswith("This photo or note is not something")
        assert refusal.value.reason
        assert len(server.asked_for("POST", case.path)) == 1

    @every_vendor
    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_an_outage_is_told_at_once(self, server: Vendor, case: Case, status: int) -> None:
        server.lay("POST", case.path, case.error(status))
        with pytest.raises(ProviderUnavailable) as error:
            make(case.name)
        assert error.value.outcome == "unavailable"
        assert "secret" not in str(error.value)
        assert len(server.asked_for("POST", case.path)) == 1

    @every_vendor
    def test_a_pause_is_respected(self, server: Vendor, case: Case) -> None:
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
        server.lay(
            "POST",
            case.path,
            case.error(429, **{"Retry-After": "7"}),
            case.error(429, **{"Retry-After": soon}),
            case.error(429),
            case.error(429, **{"Retry-After": "86400"}),
        )
        pauses = []
        for _ in range(3):
            with pytest.raises(ProviderUnavailable) as error:
                make(case.name)
            pauses.append(error.value.retry_after)
        assert pauses[0] == 7.0
        assert 60 < pauses[1] <= 90
        assert pauses[2] is None
        with pytest.raises(QuotaExhausted):
            make(case.name)

    @every_vendor
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, RequestRejected),
            (401, ProviderMisconfigured),
            (402, QuotaExhausted),
            (403, ProviderMisconfigured),
            (404, ProviderMisconfigured),
            (413, RequestRejected),
            (422, RequestRejected),
        ],
    )
    def test_what_another_try_does_not_mend(
        self, server: Vendor, case: Case, status: int, kind: type[Exception]
    ) -> None:
        server.lay("POST", case.path, case.error(status))
        with pytest.raises(kind) as error:
            make(case.name)
        assert type(error.value) is kind
        assert "secret" not in str(error.value)

    @every_vendor
    def test_no_answer_in_time(self, server: Vendor, case: Case, settings: Any) -> None:
        settings.ENVIRONMENT.image_timeout = 0.2
        server.lay("POST", case.path, Answer(hangs=True))
        if case.name == "replicate":  # the SDK gives this call a limit of its own
            server.lay("GET", "/v1/predictions/p1", Answer(hangs=True))
        with pytest.raises(ProviderUnavailable, match="did not answer"):
            make(case.name, resume="p1" if case.name == "replicate" else "")

    @every_vendor
    def test_nobody_there(self, server: Vendor, case: Case) -> None:
        server.close()
        with pytest.raises(ProviderUnavailable, match="did not answer"):
            make(case.name)

    @every_vendor
    @pytest.mark.parametrize(
        "body", [b"<html>gateway</html>", b"", b"{", b"[]", b'"no"', b"null", b"\xff\xfe\x00"]
    )
    def test_garbage(self, server: Vendor, case: Case, body: bytes) -> None:
        server.lay("POST", case.path, Answer(200, body, {"Content-Type": "application/json"}))
        with pytest.raises(ProviderUnavailable):
            make(case.name)

    @every_vendor
    @pytest.mark.parametrize(
        "content",
        [
            b"not a picture",
            PICTURE[: len(PICTURE) // 2],
            photo("GIF", (600, 600)),
            moving("WEBP"),
            png_of(60_000, 60_000),
            jpeg_of(9_000, 9_000),
            photo("PNG", (40, 40)),
        ],
        ids=["text", "truncated", "gif", "moving", "bomb", "pixels", "tiny"],
    )
    def test_what_is_no_picture_of_ours(self, server: Vendor, case: Case, content: bytes) -> None:
        server.lay("POST", case.path, case.success(content))
        with pytest.raises(UnusableAnswer) as error:
            make(case.name)
        assert error.value.usage.pictures == 1

    @every_vendor
    def test_more_than_we_read(
        self, server: Vendor, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wire, "MAX_ANSWER", 1000)
        server.lay("POST", case.path, case.success(photo("PNG", (900, 900))))
        with pytest.raises(UnusableAnswer, match="bytes"):
            make(case.name)

    @every_vendor
    def test_an_answer_that_breaks_off(self, server: Vendor, case: Case) -> None:
        whole = case.success()
        server.lay("POST", case.path, Answer(whole.status, whole.body, whole.headers, cut=True))
        with pytest.raises(ProviderUnavailable):
            make(case.name)

    @every_vendor
    def test_no_key(self, server: Vendor, case: Case, settings: Any) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=dict.fromkeys(KEYS))
        with pytest.raises(ProviderMisconfigured, match="is not set"):
            make(case.name)

    @every_vendor
    def test_large_and_transparent_photos_go_out_small(self, server: Vendor, case: Case) -> None:
        server.lay("POST", case.path, case.success())
        make(case.name, original=photo("PNG", (3000, 1500), "RGBA"))
        (asked,) = server.asked_for("POST", case.path)
        assert len(asked.body) < 600_000

    @every_vendor
    def test_a_large_answer_is_made_to_measure(self, server: Vendor, case: Case) -> None:
        server.lay("POST", case.path, case.success(photo("PNG", (2048, 2048))))
        made = make(case.name, longer_side=512)
        assert opened(made.content).size == (512, 512)
