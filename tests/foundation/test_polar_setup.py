"""What `markethall setup-polar` makes at Polar, and the two ways in which Polar signs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from polar.v2026_10.literals import WebhookEventType

from house.polar import SECRET, StandIn, tell
from house.till import old
from markethall.foundation.payments.gateways.polar import setup
from markethall.foundation.payments.models import InboxEvent
from markethall.interfaces.cli import gateways

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]

NEW_SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


@pytest.fixture
def polar(settings: Any, till: None) -> Iterator[StandIn]:
    stand_in = StandIn()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={
            "polar_access_token": "polar_oat_test",
            "polar_webhook_secret": SECRET,
            "polar_api_base": stand_in.url,
        }
    )
    setup.forget()
    yield stand_in
    setup.forget()
    stand_in.close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What the command prints."""
    monkeypatch.setattr(gateways, "prepare", lambda **_: None)

    def run() -> str:
        gateways.setup_polar()
        return capsys.readouterr().out

    return run


def test_the_first_run_makes_and_the_second_changes_nothing(polar: StandIn, said: Any) -> None:
    first = said()
    assert "was made" in first and f"POLAR_WEBHOOK_SECRET={SECRET}" in first
    stood = json.dumps(polar.kept)
    polar.asked.clear()
    second = said()
    assert second.count("as it was") == 2
    assert {method for method, _ in polar.asked} == {"GET"}
    assert json.dumps(polar.kept) == stood
    (endpoint,) = polar.rows("webhooks").values()
    assert endpoint["url"].endswith("/api/webhooks/polar")
    assert endpoint["events"] == setup.EVENTS


def test_what_somebody_changed_there_is_mended(polar: StandIn, said: Any) -> None:
    said()
    stood = json.dumps(polar.kept)
    (product,) = polar.rows("products").values()
    (endpoint,) = polar.rows("webhooks").values()
    product["name"] = "Mystery"
    endpoint |= {"events": ["order.paid"], "enabled": False, "api_version": "2026-04"}
    mended = said()
    assert "was changed" in mended and f"{len(setup.EVENTS)} events" in mended
    assert json.dumps(polar.kept) == stood


def test_a_token_that_polar_does_not_take_is_told_in_a_line(
    polar: StandIn, settings: Any, said: Any
) -> None:
    settings.ENVIRONMENT.polar_access_token = "polar_oat_other"
    with pytest.raises(SystemExit, match="POLAR_ACCESS_TOKEN"):
        said()


class TestTheTwoWaysOfSigning:
    @pytest.mark.parametrize(
        ("secret", "is_old_secret"), [(SECRET, True), (NEW_SECRET, True), (NEW_SECRET, False)]
    )
    def test_each_is_taken(
        self, polar: StandIn, settings: Any, secret: str, is_old_secret: bool
    ) -> None:
        settings.ENVIRONMENT.polar_webhook_secret = secret
        answer = tell("order.paid", {"id": "x"}, secret=secret, is_old_secret=is_old_secret)
        assert answer.status_code == 200, answer.content
        assert InboxEvent.objects.get().provider == "polar"

    @pytest.mark.parametrize("fault", [{"secret": f"{NEW_SECRET[:-5]}AAAA="}, {"at": old()}])
    @pytest.mark.parametrize("is_old_secret", [True, False])
    def test_neither_is_taken_altered(
        self, polar: StandIn, settings: Any, is_old_secret: bool, fault: dict[str, Any]
    ) -> None:
        settings.ENVIRONMENT.polar_webhook_secret = NEW_SECRET
        given = {"secret": NEW_SECRET, **fault}
        answer = tell("order.paid", {"id": "x"}, is_old_secret=is_old_secret, **given)
        assert answer.status_code == 400
        assert not InboxEvent.objects.exists()

    def test_the_sdk_knows_every_event_that_the_endpoint_asks_for(self) -> None:
        assert set(setup.EVENTS) <= set(get_args(WebhookEventType))
