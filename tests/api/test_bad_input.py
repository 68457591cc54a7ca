"""Whatever a caller sends, the answer says what to mend, and is never a fault of ours."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.test import Client

from house.people import ApiClient, client_for, make_user
from house.things import something_of_every_kind
from house.till import checkout
from markethall.interfaces.api.document import openapi_document
from markethall.interfaces.live.app import Live

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("till")]
NUL = "a\x00b"


@pytest.fixture
def boss() -> ApiClient:
    return client_for(make_user(role="super_admin"))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/images", ["search", "cursor"]),
        ("/api/orders", ["status", "storefront", "q"]),
        ("/api/payments/transactions", ["status", "gateway", "currency"]),
        ("/api/webhooks/events", ["status", "provider", "type"]),
        ("/api/users", ["search"]),
        ("/api/audit", ["action", "subjectId"]),
    ],
)
def test_a_filter_with_a_nul_is_refused(boss: ApiClient, path: str, names: list[str]) -> None:
    for name in names:
        answer = boss.get(path, {name: NUL})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), name


def test_no_address_breaks_by_a_nul(boss: ApiClient) -> None:
    things = something_of_every_kind()
    asked = 0
    for path, methods in openapi_document()["paths"].items():
        for told in methods.get("get", {}).get("parameters", []):
            if told["in"] == "query" and "string" in str(told["schema"]):
                asked += 1
                answer = boss.get(path.format(**things), {told["name"]: NUL})
                assert answer.status_code < 500, (path, told["name"])
        if "{" in path:
            nul = path.format(**dict.fromkeys(things, "%00"))
            statuses = {getattr(boss, method)(nul).status_code for method in methods}
            assert max(statuses) < 500, path
    assert asked > 50


def test_a_list_with_a_nul_is_refused(boss: ApiClient) -> None:
    answer = boss.get("/api/inventory", {"sku": ["A", NUL]})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "sku")
    ring = {"product": "aurore", "configuration": {"metal": NUL}}
    assert boss.post("/api/cart", ring).status_code == 422


def test_a_body_with_a_nul_is_refused(boss: ApiClient) -> None:
    user = make_user()
    order = boss.post("/api/orders", {"lines": [{"item": "credits-50"}]}).json()
    bodies: list[tuple[str, dict[str, Any], str]] = [
        ("/api/orders", {"lines": [{"item": NUL}]}, "lines.0.item"),
        ("/api/payments/create-checkout", {"item": NUL}, "item"),
        ("/api/payments/create-intent", {"item": NUL}, "item"),
        (f"/api/users/{user.pk}/credits", {"amount": 1, "reason": NUL}, "reason"),
        (f"/api/orders/{order['id']}/cancel", {"reason": NUL}, "reason"),
        (f"/api/orders/{order['id']}/refund", {"reason": NUL}, "reason"),
    ]
    for path, body, field in bodies:
        answer = boss.post(path, body)
        assert answer.status_code == 422, path
        assert answer.json()["errors"][0]["path"] == field
    assert boss.put(f"/api/orders/{order['id']}", {"note": NUL}).status_code == 422


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_beyond_all_years_is_refused(boss: ApiClient, at: str) -> None:
    for name in ("since", "until"):
        assert boss.get("/api/audit", {name: at}).status_code == 422


def test_a_time_without_a_zone_is_utc(boss: ApiClient) -> None:
    assert boss.get("/api/audit", {"since": "2020-01-01T00:00:00"}).status_code == 200


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "0222-07-12T00:49:22Z", "9999-12-31T23:59:59Z"]
)
def test_a_time_that_no_id_was_made_at_narrows_nothing_or_all(boss: ApiClient, at: str) -> None:
    for path in ("/api/orders", "/api/audit"):
        for name in ("since", "until"):
            assert boss.get(path, {name: at}).status_code == 200


@pytest.mark.parametrize("endpoint", ["create-checkout", "create-intent"])
def test_the_longest_key_works_and_belongs_to_its_endpoint(endpoint: str) -> None:
    client, headers = client_for(make_user()), {"Idempotency-Key": "k" * 255}
    path = f"/api/payments/{endpoint}"
    answers = [client.post(path, {"item": "credits-50"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = client.post("/api/orders", {"lines": [{"item": "credits-50"}]}, headers=headers)
    assert other.json()["id"] != answers[0].json()["orderId"]


def test_the_gateways_page_reads_no_bottomless_json() -> None:
    url = checkout(client_for(make_user()))["checkoutUrl"].removeprefix("http://testserver")
    body = "[" * 100_000
    answer = Client().post(f"{url}/pay", body, content_type="application/json")
    assert (answer.status_code, answer["content-type"]) == (422, "application/problem+json")


def test_the_root_of_the_api_answers_programs() -> None:
    answer = Client().get("/api")
    assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("verb", ["POST", "HEAD", "PUT", "DELETE"])
def test_live_updates_are_read_only(verb: str) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": verb, "path": "/api/live", "headers": []}
    asyncio.run(Live()(scope, None, send))
    assert (sent[0]["status"], dict(sent[0]["headers"])[b"allow"]) == (405, b"GET")
    assert json.loads(sent[1]["body"])["code"] == "method_not_allowed"
