"""``X-Storefront``, else the host, else what the item belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from house.people import ApiClient, client_for, make_user
from markethall.interfaces.api.document import openapi_document
from markethall.trade.catalog.models import Offer
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]

PLANS, ORDERS = "/api/payments/plans", "/api/orders"
TRANSACTIONS = "/api/payments/transactions"
CHECKOUT, INTENT = "/api/payments/create-checkout", "/api/payments/create-intent"


def at(shop: str) -> dict[str, str]:
    return {"X-Storefront": shop}


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content


@pytest.fixture(autouse=True)
def other_pack() -> Offer:
    """A pack of another storefront."""
    return Offer.objects.create(
        code="talks-10",
        kind="credits",
        storefront="mybeing",
        name="10 talks",
        amount=300,
        currency="USD",
        credits=10,
        position=9,
    )


def packs(**extra: Any) -> list[str]:
    answer = ApiClient().get(PLANS, **extra)
    assert answer.status_code == 200, answer.content
    return [pack["id"] for pack in answer.json()["creditPacks"]]


def test_plans_are_those_of_the_storefront() -> None:
    assert packs(headers=at("mybeing")) == ["talks-10"]
    assert packs(headers=at(" Plushify ")) == ["credits-50", "credits-200", "credits-500"]
    assert packs(headers=at("elysium")) == []
    assert len(packs()) == 4


def test_the_host_tells_when_no_header_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENVIRONMENT, "storefront_hosts", {"being.example": "mybeing"})
    host = {"Host": "being.example:8443"}
    assert packs(headers=host) == ["talks-10"]
    assert packs(headers={**host, **at("plushify")})[0] == "credits-50"
    assert len(packs(headers={"Host": "elsewhere.example"})) == 4


def test_only_what_the_storefront_sells_is_bought_there() -> None:
    client = client_for(make_user())
    for path, body in (
        (CHECKOUT, {"item": "talks-10"}),
        (INTENT, {"item": "talks-10"}),
        (ORDERS, {"lines": [{"item": "credits-50"}, {"item": "talks-10"}]}),
    ):
        answer = client.post(path, body, headers=at("plushify"))
        refused(answer, 422, "offer_not_found")
        assert "at plushify" in answer.json()["detail"]
    assert not Order.objects.exists()
    assert client.post(CHECKOUT, {"item": "talks-10"}, headers=at("mybeing")).status_code == 201
    assert Order.objects.get().storefront == "mybeing"


def test_an_order_is_paid_and_listed_at_its_storefront() -> None:
    client = client_for(make_user())
    own = client.post(ORDERS, {"lines": [{"item": "talks-10"}]}).json()["id"]
    client.post(ORDERS, {"lines": [{"item": "credits-50"}]})
    pay = {"orderId": own}
    refused(client.post(CHECKOUT, pay, headers=at("plushify")), 404, "order_not_found")
    assert client.post(CHECKOUT, pay, headers=at("mybeing")).status_code == 201

    def listed(query: str = "", **headers: str) -> set[str]:
        items = client.get(ORDERS + query, headers=headers).json()["items"]
        return {item["storefront"] for item in items}

    assert listed() == {"plushify", "mybeing"}
    assert listed(**at("mybeing")) == {"mybeing"}
    assert listed("?storefront=plushify", **at("mybeing")) == {"plushify"}


def test_money_is_listed_at_its_storefront() -> None:
    client = client_for(make_user())
    talks = client.post(CHECKOUT, {"item": "talks-10"}).json()["paymentId"]
    plush = client.post(CHECKOUT, {"item": "credits-50"}).json()["paymentId"]

    def listed(query: str = "", **headers: str) -> set[str]:
        items = client.get(TRANSACTIONS + query, headers=headers).json()["items"]
        return {item["id"] for item in items}

    assert listed() == {talks, plush}
    assert listed(**at("mybeing")) == {talks}
    assert listed("?storefront=plushify", **at("mybeing")) == {plush}
    assert listed(**at("market")) == set()


def test_a_storefront_that_is_none_is_told() -> None:
    client = client_for(make_user())
    for answer in (
        client.get(TRANSACTIONS, headers=at("toys")),
        client.get(PLANS, headers=at("toys")),
        client.get(ORDERS, headers=at("toys")),
        client.post(CHECKOUT, {"item": "credits-50"}, headers=at("toys")),
    ):
        refused(answer, 422, "storefront_not_found")
        assert answer.json()["errors"][0]["path"] == "X-Storefront"
        assert "plushify, mybeing, elysium, market" in answer.json()["detail"]


def test_the_document_names_the_header() -> None:
    honouring = {
        (method, path)
        for path, methods in openapi_document()["paths"].items()
        for method, details in methods.items()
        for parameter in details.get("parameters", [])
        if parameter["name"] == "X-Storefront"
    }
    assert honouring >= {
        ("get", PLANS),
        ("get", ORDERS),
        ("get", TRANSACTIONS),
        ("post", ORDERS),
        ("post", CHECKOUT),
        ("post", INTENT),
    }
    assert ("get", "/api/payments/{payment_id}") not in honouring
    assert ("get", "/api/credits/balance") not in honouring
