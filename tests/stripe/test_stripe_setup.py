"""What `markethall setup-stripe` makes at Stripe: the same, however often it runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

import stripe
from house.till import yen_pack
from markethall.foundation.payments.gateways.stripe import notices
from markethall.interfaces.cli import gateways
from markethall.trade.catalog.models import Offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(peer: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What the command prints."""
    monkeypatch.setattr(gateways, "prepare", lambda **_: None)

    def run() -> str:
        peer.calls.clear()
        gateways.setup_stripe()
        return capsys.readouterr().out

    return run


def things(peer: Any, kind: str) -> list[dict[str, Any]]:
    return [thing for thing in peer.things.values() if thing["object"] == kind]


def test_each_offer_gets_a_product_and_a_price(peer: Any, said: Any) -> None:
    yen_pack()
    text = said()
    offers = {f"markethall_{offer.code}": offer for offer in Offer.objects.all()}
    products = {product["id"]: product for product in things(peer, "product")}
    assert set(products) == set(offers)
    for key, product in products.items():
        price = peer.get(product["default_price"])
        assert (price["unit_amount"], price["currency"].upper()) == (
            offers[key].amount,
            offers[key].currency,
        )
        assert price["lookup_key"] == offers[key].code
    assert text.count("product made, price made") == len(offers)


def test_the_endpoint_has_exactly_what_is_read_and_the_sdk_s_version(peer: Any, said: Any) -> None:
    text = said()
    (endpoint,) = things(peer, "webhook_endpoint")
    assert endpoint["enabled_events"] == notices.READ
    assert endpoint["api_version"] == stripe.api_version
    assert endpoint["url"].endswith("/api/webhooks/stripe")
    assert f"STRIPE_WEBHOOK_SECRET={endpoint['secret']}" in text


def test_the_second_run_only_reads(peer: Any, said: Any) -> None:
    said()
    stood = json.dumps(peer.things)
    text = said()
    assert not [call for call in peer.calls if not call.startswith("GET")]
    assert json.dumps(peer.things) == stood
    assert text.count("as it was") == Offer.objects.count() + 1
    assert "whsec_" not in text


def test_a_new_price_takes_the_place_of_the_old_one(peer: Any, said: Any) -> None:
    said()
    offer = Offer.objects.get(code="credits-50")
    product = peer.get("markethall_credits-50")
    before = product["default_price"]
    Offer.objects.filter(pk=offer.pk).update(amount=599, name="Fifty")
    assert "product changed, price changed" in said()
    after = peer.get(product["default_price"])
    assert (after["unit_amount"], after["lookup_key"], product["name"]) == (
        599,
        "credits-50",
        "Fifty",
    )
    assert peer.get(before)["active"] is False
    assert "as it was" in said()


def test_what_is_not_sold_any_more_is_archived_and_comes_back(peer: Any, said: Any) -> None:
    said()
    Offer.objects.filter(code="credits-50").update(is_active=False)
    assert "archived" in said()
    assert peer.get("markethall_credits-50")["active"] is False
    assert "archived" not in said()
    Offer.objects.filter(code="credits-50").update(is_active=True)
    assert "product changed" in said()
    assert peer.get("markethall_credits-50")["active"] is True


def test_products_of_others_are_left_alone(peer: Any, said: Any) -> None:
    peer.make("prod", "product", name="Theirs", active=True, default_price=None)
    peer.make("we", "webhook_endpoint", url="https://else.test", status="enabled")
    assert "Theirs" not in said()
    assert len(things(peer, "webhook_endpoint")) == 2


def test_a_run_that_was_cut_off_is_finished_by_the_next(peer: Any, said: Any) -> None:
    peer.make("prod", "product", name="50 credits", active=True, default_price=None)
    made = things(peer, "product")[0]
    peer.things["markethall_credits-50"] = peer.things.pop(made["id"]) | {
        "id": "markethall_credits-50"
    }
    peer.make("price", "price", lookup_key="credits-50", unit_amount=1, active=True)
    said()
    price = peer.get(peer.get("markethall_credits-50")["default_price"])
    assert (price["unit_amount"], price["lookup_key"]) == (499, "credits-50")


def test_an_endpoint_that_was_changed_is_mended(peer: Any, said: Any) -> None:
    said()
    (endpoint,) = things(peer, "webhook_endpoint")
    endpoint |= {"status": "disabled", "enabled_events": ["payout.paid"]}
    assert f"has the {len(notices.READ)} events" in said()
    assert (endpoint["status"], endpoint["enabled_events"]) == ("enabled", notices.READ)


def test_an_endpoint_of_another_version_is_replaced_and_left_to_the_operator(
    peer: Any, said: Any
) -> None:
    said()
    (first,) = things(peer, "webhook_endpoint")
    first["api_version"] = "2020-08-27"
    text = said()
    assert f"Delete {first['id']}" in text and "STRIPE_WEBHOOK_SECRET=whsec_" in text
    assert len(things(peer, "webhook_endpoint")) == 2
    assert f"Delete {first['id']}" in said()
    assert len(things(peer, "webhook_endpoint")) == 2


def test_what_stripe_does_not_answer_is_told_in_a_line(peer: Any, said: Any) -> None:
    peer.fail_with = 500
    with pytest.raises(SystemExit, match="Stripe does not answer"):
        said()
