"""What staff says of vouchers, shipping methods and taxes through the API."""

from __future__ import annotations

from typing import Any

import pytest

from house.people import ApiClient, client_for, make_user
from markethall.foundation.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
VOUCHER = {"storefront": "elysium", "code": "SPRING", "kind": "percentage", "basisPoints": 1000}
PRICE = {"currency": "USD", "amount": 900}
METHOD = {
    "storefront": "elysium",
    "code": "by-bike",
    "name": "By bike",
    "countries": ["DE", "AT"],
    "prices": [PRICE],
}
RATE = {"country": "IS", "category": "standard", "name": "VSK", "basisPoints": 2400}
PATHS = {"voucher": "/api/vouchers", "method": "/api/shipping/methods", "rate": "/api/taxes"}
BODIES: dict[str, dict[str, Any]] = {"voucher": VOUCHER, "method": METHOD, "rate": RATE}


@pytest.fixture
def staff() -> ApiClient:
    return client_for(make_user(role="admin"))


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("voucher", {"basisPoints": 2000, "isActive": False, "note": "Over"}),
        ("method", {"name": "By tram", "isActive": False, "prices": [{**PRICE, "amount": 500}]}),
        ("rate", {"basisPoints": 1100, "isInclusive": False}),
    ],
)
def test_it_is_made_changed_and_taken_away(
    staff: ApiClient, kind: str, changes: dict[str, Any]
) -> None:
    made = staff.post(PATHS[kind], BODIES[kind])
    assert made.status_code == 201, made.content
    one = f"{PATHS[kind]}/{made.json()['id']}"
    changed = staff.put(one, {**BODIES[kind], **changes})
    assert changed.status_code == 200, changed.content
    said = changed.json()
    for price in said.get("prices", ()):
        assert price.pop("upToGrams") is None and price.pop("freeFrom") is None
    assert {name: said[name] for name in changes} == changes
    assert staff.delete(one).status_code == 204
    assert staff.delete(one).status_code == 404
    assert staff.put(one, BODIES[kind]).status_code == 404
    assert AuditEntry.objects.filter(subject_id=said["id"]).count() == 3


@pytest.mark.parametrize("kind", list(BODIES))
def test_there_is_no_second_of_the_same(staff: ApiClient, kind: str) -> None:
    assert staff.post(PATHS[kind], BODIES[kind]).status_code == 201
    assert staff.post(PATHS[kind], BODIES[kind]).status_code == 409


@pytest.mark.parametrize(
    ("kind", "changes", "path"),
    [
        ("voucher", {"storefront": "nowhere"}, "storefront"),
        ("voucher", {"basisPoints": None}, "basisPoints"),
        ("voucher", {"basisPoints": 10_001}, "basisPoints"),
        ("voucher", {"kind": "amount", "basisPoints": None, "currency": "USD"}, "amount"),
        ("voucher", {"code": "x"}, "code"),
        ("voucher", {"maxUses": 0}, "maxUses"),
        ("method", {"storefront": "nowhere"}, "storefront"),
        ("method", {"code": "By Bike"}, "code"),
        ("method", {"countries": ["ZZ"]}, "countries"),
        ("method", {"daysMin": 9, "daysMax": 3}, "daysMax"),
        ("method", {"prices": [PRICE, PRICE]}, "prices.1"),
        ("method", {"prices": [{**PRICE, "amount": -1}]}, "prices.0.amount"),
        ("method", {"prices": [{**PRICE, "upToGrams": 500}]}, "prices.0.upToGrams"),
        ("rate", {"country": "ZZ"}, "country"),
        ("rate", {"basisPoints": 10_001}, "basisPoints"),
        ("rate", {"category": "odd"}, "category"),
        ("rate", {"name": ""}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    staff: ApiClient, kind: str, changes: dict[str, Any], path: str
) -> None:
    made = staff.post(PATHS[kind], BODIES[kind]).json()
    before = AuditEntry.objects.count()
    sent = {**BODIES[kind], **changes}
    one = f"{PATHS[kind]}/{made['id']}"
    for answer in (staff.post(PATHS[kind], sent), staff.put(one, sent)):
        assert answer.status_code == 422, answer.content
        assert path in [error["path"] for error in answer.json()["errors"]]
    assert AuditEntry.objects.count() == before


def test_a_method_that_is_switched_off_is_not_offered(staff: ApiClient) -> None:
    made = staff.post(PATHS["method"], METHOD).json()
    staff.put(f"{PATHS['method']}/{made['id']}", {**METHOD, "isActive": False})
    shops = {"X-Storefront": "elysium"}
    offered = ApiClient().get(PATHS["method"], headers=shops).json()["items"]
    every = staff.get(f"{PATHS['method']}?all=true", headers=shops).json()["items"]
    assert "by-bike" not in [method["code"] for method in offered]
    assert "by-bike" in [method["code"] for method in every]


def test_codes_are_made_at_once_and_switched_off(staff: ApiClient) -> None:
    worth = {name: value for name, value in VOUCHER.items() if name != "code"}
    made = staff.post("/api/vouchers/bulk", {**worth, "count": 3, "prefix": "GIFT"})
    assert made.status_code == 201, made.content
    codes = made.json()["codes"]
    assert len(set(codes)) == 3
    (one,) = staff.get(f"/api/vouchers?q={codes[0]}").json()["items"]
    assert (one["maxUses"], one["isActive"]) == (1, True)
    off = {**worth, "code": codes[0], "isActive": False}
    assert staff.put(f"/api/vouchers/{one['id']}", off).json()["isActive"] is False
    listed = staff.get("/api/vouchers?state=off").json()["items"]
    assert [voucher["code"] for voucher in listed] == [codes[0]]
    assert staff.post("/api/vouchers/bulk", {**worth, "count": 0}).status_code == 422
