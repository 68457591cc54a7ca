"""What ELYSIUM's pages let nobody do too often."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from house.goods import make_product
from house.shelf import stocked
from markethall.foundation.accounts.limits import LIMITS, ActLimits
from markethall.kernel import clock
from markethall.kernel.throttle import Limit
from markethall.trade.cart.actions import choose_anew
from markethall.trade.cart.models import CartLine
from markethall.trade.orders.models import Order
from markethall.trade.vouchers.models import Voucher

_HOUR = timedelta(hours=1)
pytestmark = pytest.mark.django_db
GOLD = {"product": "aurore", "option.metal": "gold", "option.size": "52"}
SENT = {
    "shipping-country": "DE",
    "shipping-name": "Ada Byron",
    "shipping-line1": "Lindenweg 4",
    "shipping-postal_code": "10115",
    "shipping-city": "Berlin",
    "email": "ada@example.com",
    "method": "insured",
    "same": "1",
}


@pytest.fixture(autouse=True)
def ring(till: None) -> None:
    for variant in make_product().variants.all():
        stocked(variant, 5)


def voucher(code: str, **fields: Any) -> None:
    Voucher.objects.create(
        storefront="elysium",
        code=code,
        kind="percentage",
        basis_points=1000,
        created_at=clock.now(),
        **fields,
    )


def total_in(answer: Any) -> str:
    found = re.search(r'name="seen_total" value="(\d+)"', answer.content.decode())
    assert found
    return found[1]


def test_codes_cannot_be_guessed_on_the_page(client: Client) -> None:
    voucher("RIGHT")
    client.post("/elysium/bag/lines", GOLD)
    by_account = LIMITS["voucher"].by_account
    assert by_account
    for number in range(by_account.count):
        answer = client.post("/elysium/bag/voucher", {"code": f"WRONG{number}"})
        assert answer.status_code == 409
    answer = client.post("/elysium/bag/voucher", {"code": "RIGHT"})
    assert answer.status_code == 429
    assert "RIGHT" not in client.get("/elysium/bag").content.decode()


def test_a_code_that_cannot_be_used_leaves_the_one_before(client: Client) -> None:
    voucher("RIGHT")
    client.post("/elysium/bag/lines", GOLD)
    assert client.post("/elysium/bag/voucher", {"code": " right "}).status_code == 303
    client.post("/elysium/bag/voucher", {"code": "WRONG"})
    assert "Voucher RIGHT" in client.get("/elysium/bag").content.decode()
    client.post("/elysium/bag/voucher", {"code": ""})
    assert "Voucher RIGHT" not in client.get("/elysium/bag").content.decode()


def test_checkouts_are_counted_as_those_of_programs(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_LIMIT_FACTOR = 1
    monkeypatch.setitem(LIMITS, "checkout", ActLimits(Limit(2, _HOUR), Limit(9, _HOUR)))
    client.post("/elysium/bag/lines", GOLD)
    wrong = {**SENT, "shipping-name": ""}
    for _ in range(2):
        assert client.post("/elysium/checkout", wrong).status_code == 422
    answer = client.post("/elysium/checkout", SENT)
    assert answer.status_code == 429
    assert "Lindenweg 4" in answer.content.decode(), "what was typed stays"
    assert not Order.objects.exists()


def test_a_guest_sees_that_their_code_is_used_up_and_buys_without(client: Client) -> None:
    voucher("ONCE", max_uses_each=1)
    for browser in (Client(), client):
        browser.post("/elysium/bag/lines", GOLD)
        browser.post("/elysium/bag/voucher", {"code": "ONCE"})
        seen = total_in(browser.get("/elysium/checkout"))
        answer = browser.post("/elysium/checkout", {**SENT, "seen_total": seen})
        if browser is not client:
            assert answer.status_code == 303
    assert answer.status_code == 409
    assert "as often as one may" in answer.content.decode()
    assert int(total_in(answer)) > int(seen)
    again = client.post("/elysium/checkout", {**SENT, "seen_total": total_in(answer)})
    assert again.status_code == 303
    assert Order.objects.filter(voucher="ONCE").count() == 1


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/elysium/bag/lines", "product"),
        ("/elysium/bag/voucher", "code"),
        ("/elysium/checkout/quote", "shipping-country"),
        ("/elysium/checkout", "note"),
        ("/elysium/checkout", "method"),
    ],
)
def test_a_character_that_no_text_can_hold_is_refused(
    client: Client, path: str, field: str
) -> None:
    client.post("/elysium/bag/lines", GOLD)
    sent = urlencode({**GOLD, **SENT, field: "a\x00b"})
    answer = client.post(path, sent, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert not Order.objects.exists()


def test_an_address_with_hundreds_of_filters_asks_no_more_than_one_with_forty(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    many = "&".join(f"facet=name{number}:value" for number in range(600))
    with django_assert_max_num_queries(20) as asked:
        answer = client.get(f"/elysium/shop?{many}")
    assert answer.status_code == 200
    assert len(answer.content) < 200_000
    assert max(query["sql"].count("&&") for query in asked.captured_queries) < 200


def test_what_was_typed_anew_on_a_page_from_before_is_what_is_ordered(client: Client) -> None:
    """The back button shows the form as it was, with its key."""
    client.post("/elysium/bag/lines", GOLD)
    sent = {**SENT, "key": "from-before"}
    first = client.post("/elysium/checkout", sent)
    assert client.post("/elysium/checkout", sent)["Location"] == first["Location"]
    client.post("/elysium/checkout", {**sent, "shipping-line1": "Rosenweg 7"})
    (order,) = Order.objects.filter(status="PENDING")
    assert order.shipping_address["line1"] == "Rosenweg 7"
    assert Order.objects.filter(status="CANCELLED").count() == 1
    # So does what was changed in the bag meanwhile, at the same price.
    line = CartLine.objects.get()
    chosen = {"metal": "gold", "size": "54"}
    choose_anew(cart=line.cart, line_id=line.pk, configuration=chosen)
    client.post("/elysium/checkout", {**sent, "shipping-line1": "Rosenweg 7"})
    (order,) = Order.objects.filter(status="PENDING")
    assert order.lines.get().data["configuration"] == chosen


@pytest.mark.django_db
def test_a_form_that_is_too_long_is_told_so() -> None:
    answer = Client().post("/elysium/bespoke", {"notes": "x" * 1024 * 1024})
    assert answer.status_code == 413
    text = answer.content.decode()
    assert 'data-theme="elysium"' in text
    assert "at most 1 MB of text" in text
    told = Client().post(
        "/elysium/bag/lines", {"product": "x" * 1024 * 1024}, HTTP_HX_REQUEST="true"
    )
    assert (told.status_code, told.headers["HX-Reswap"]) == (413, "none")
