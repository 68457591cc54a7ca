"""Console: codes, shipping methods and their prices, tax rates."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from house.people import make_user, page_client
from markethall.foundation.accounts.permissions import Role
from markethall.trade.shipping.models import ShippingMethod
from markethall.trade.taxes.models import TaxRate
from markethall.trade.vouchers.models import Voucher

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]
WORTH = {"storefront": "elysium", "kind": "percentage", "percent": "12.5", "is_active": "on"}


@pytest.fixture
def desk(till: None) -> Client:
    return page_client(make_user(role=Role.ADMIN))


def prices(*rows: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {"price-TOTAL_FORMS": len(rows), "price-INITIAL_FORMS": 0}
    for index, row in enumerate(rows):
        form |= {f"price-{index}-{name}": value for name, value in row.items()}
    return form


def test_a_code_is_made_changed_and_switched_off(desk: Client) -> None:
    answer = desk.post("/console/vouchers/new", {**WORTH, "code": "spring", "minimum": ""})
    made = Voucher.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/console/vouchers/{made.pk}")
    assert (made.code, made.basis_points, made.minimum) == ("SPRING", 1250, 0)
    changed = {**WORTH, "code": "SPRING", "minimum": "19.99", "currency": "USD"}
    desk.post(f"/console/vouchers/{made.pk}/change", changed)
    made.refresh_from_db()
    assert (made.minimum, made.currency) == (1999, "USD")
    page = desk.get(f"/console/vouchers/{made.pk}/change").content.decode()
    assert 'value="19.99"' in page and 'value="12.5"' in page
    desk.post(f"/console/vouchers/{made.pk}/switch", {"to": "off"})
    made.refresh_from_db()
    assert not made.is_active
    assert "Nobody has used it yet." in desk.get(f"/console/vouchers/{made.pk}").content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "A"}, "3 to 32 letters"),
        ({"percent": ""}, "A percentage is more than 0"),
        ({"kind": "amount", "amount": "5"}, "Say in which currency."),
        ({"kind": "amount", "amount": "5.005", "currency": "USD"}, "digits after the point"),
        ({"kind": "amount", "amount": "5.5", "currency": "JPY"}, "digits after the point"),
        ({"starts_at": "2026-11-21T12:00", "ends_at": "2026-11-21T11:00"}, "after the beginning"),
    ],
)
def test_what_is_wrong_with_a_code_is_said(
    desk: Client, changes: dict[str, str], said: str
) -> None:
    answer = desk.post("/console/vouchers/new", {**WORTH, "code": "SPRING", **changes})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Voucher.objects.exists()


def test_many_codes_are_made_and_taken_away_as_text(desk: Client) -> None:
    form = {**WORTH, "count": 20, "prefix": "gift", "max_uses": 1}
    answer = desk.post("/console/vouchers/many", form)
    assert answer.headers["Location"] == "/console/vouchers?q=GIFT"
    listed = desk.get("/console/vouchers/codes.txt?q=GIFT").content.decode().split()
    assert len(listed) == 20
    assert sorted(listed) == sorted(Voucher.objects.values_list("code", flat=True))
    assert listed[0] in desk.get("/console/vouchers?q=GIFT&state=active").content.decode()


def test_a_method_is_kept_with_its_prices(desk: Client) -> None:
    method = {
        "storefront": "market",
        "code": "post",
        "name": "Post",
        "kind": "weight",
        "countries": "de, at CH",
        "days_min": 2,
        "days_max": 4,
        "tax_category": "standard",
        "position": 0,
        "is_active": "on",
    }
    steps = prices(
        {"currency": "EUR", "amount": "4.90", "up_to_grams": 500},
        {"currency": "EUR", "amount": "9.90", "free_from": "100"},
        {},
    )
    assert desk.post("/console/shipping/new", {**method, **steps}).status_code == 302
    made = ShippingMethod.objects.get(code="post")
    assert made.countries == ["AT", "CH", "DE"]
    known = sorted(made.prices.values_list("amount", "up_to_grams", "free_from"))
    assert known == [(490, 500, None), (990, None, 10_000)]
    page = desk.get(f"/console/shipping/{made.pk}").content.decode()
    assert 'value="4.90"' in page and "AT CH DE" in page
    wrong = {**method, "countries": "XX", **prices({"currency": "EUR", "amount": ""})}
    answer = desk.post(f"/console/shipping/{made.pk}", wrong)
    assert answer.status_code == 422
    assert desk.post(f"/console/shipping/{made.pk}/remove").status_code == 302
    assert not ShippingMethod.objects.filter(code="post").exists()


def test_a_tax_is_stated_changed_and_removed(desk: Client) -> None:
    rate = {"country": "KE", "category": "standard", "name": "VAT", "percent": "16"}
    assert desk.post("/console/taxes/new", {**rate, "is_inclusive": "on"}).status_code == 302
    made = TaxRate.objects.get(country="KE")
    assert (made.basis_points, made.is_inclusive) == (1600, True)
    again = desk.post("/console/taxes/new", rate)
    assert again.status_code == 422 and "has a rate" in again.content.decode()
    desk.post(f"/console/taxes/{made.pk}", {**rate, "percent": "8.1"})
    made.refresh_from_db()
    assert (made.basis_points, made.is_inclusive) == (810, False)
    assert "Kenya" in desk.get("/console/taxes").content.decode()
    desk.post(f"/console/taxes/{made.pk}/remove")
    assert not TaxRate.objects.filter(country="KE").exists()


@pytest.mark.parametrize(
    "path",
    ["vouchers", "vouchers/new", "vouchers/many", "vouchers/codes.txt", "shipping", "shipping/new",
     "taxes", "taxes/new"],
)  # fmt: skip
@pytest.mark.parametrize(("role", "status"), [(Role.FINANCE, 403), (Role.CUSTOMER, 404)])
def test_others_may_not(till: None, path: str, role: Role, status: int) -> None:
    assert page_client(make_user(role=role)).get(f"/console/{path}").status_code == status
