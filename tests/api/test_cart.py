"""The cart by API: what is put in, what it costs now, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from string import ascii_uppercase
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from house.cart import GOLD, Visitor, cart_of, make_ring, put_in, quantities
from house.people import PASSWORD, ApiClient, client_for, make_user
from markethall.interfaces.jobs.upkeep import end_retention
from markethall.kernel import clock
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.catalog.models import OptionValue, Product, ProductPrice, Variant
from markethall.trade.inventory.models import StockItem
from markethall.trade.vouchers.models import Voucher

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


@pytest.fixture
def ring(till: None) -> Product:
    return make_ring()


@pytest.fixture
def ada(till: None) -> ApiClient:
    return client_for(make_user())


def voucher(code: str = "TENOFF", **fields: Any) -> Voucher:
    fields = {"kind": "percentage", "basis_points": 1000, **fields}
    return Voucher.objects.create(storefront="elysium", code=code, created_at=clock.now(), **fields)


def test_what_is_put_in_is_priced_on_the_server(ring: Product, ada: ApiClient) -> None:
    cart = put_in(ada, ring, 2, engraving="For Ada")
    (line,) = cart["lines"]
    assert line["unitPrice"] == {"amount": 150_000, "currency": "USD"}
    assert line["shown"] == [
        {"name": "Metal", "value": "Gold"},
        {"name": "Engraving", "value": "For Ada"},
    ]
    assert (line["sku"], line["available"], line["problem"]) == ("AURORE-GOLD", 10, "")
    assert cart["itemsTotal"] == cart["total"] == {"amount": 300_000, "currency": "USD"}
    assert cart["shipping"] is None and cart["canBeBought"]


def test_the_same_adds_up_to_the_limit_and_another_choice_is_another_line(
    ring: Product, ada: ApiClient
) -> None:
    put_in(ada, ring, 60)
    put_in(ada, ring, 60)
    cart = put_in(ada, ring, 1, metal="silver")
    assert quantities(cart) == [99, 1]


def test_a_product_is_named_by_slug_too(ring: Product, ada: ApiClient) -> None:
    body = {"product": "aurore", "configuration": {"metal": "silver"}}
    assert ada.post("/api/cart", body).json()["total"]["amount"] == 100_000


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"product": "nothing", "configuration": {}}, 404, "product_not_found"),
        ({"product": "aurore", "configuration": {}}, 422, "configuration_invalid"),
        ({"product": "aurore", "configuration": {"metal": "tin"}}, 422, "configuration_invalid"),
        ({"product": "aurore", "configuration": GOLD, "quantity": 0}, 422, "validation_error"),
        ({"product": "aurore", "configuration": GOLD, "quantity": 100}, 422, "validation_error"),
        ({"configuration": GOLD}, 422, "validation_error"),
    ],
)
def test_what_cannot_be_bought_is_refused(
    ring: Product, ada: ApiClient, body: dict[str, Any], status: int, code: str
) -> None:
    answer = ada.post("/api/cart", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert cart_of(ada)["lines"] == []


def test_a_line_is_chosen_anew_and_joins_its_like(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring, 2)
    cart = put_in(ada, ring, 3, metal="silver")
    gold, silver = (f"/api/cart/{line['id']}" for line in cart["lines"])
    engraved = {"configuration": {"metal": "gold", "engraving": "A"}, "quantity": 4}
    (line, _) = ada.put(gold, engraved).json()["lines"]
    assert (line["configuration"], line["quantity"]) == (engraved["configuration"], 4)
    for metal, engraving, path in (("", "A", "metal"), ("gold", "1", "engraving")):
        wrong = {"configuration": {"metal": metal, "engraving": engraving}}
        answer = ada.put(gold, wrong)
        assert answer.status_code == 422
        assert [each["path"] for each in answer.json()["errors"]] == [f"configuration.{path}"]
    assert ada.put(gold, {}).status_code == 422
    assert ada.put(gold, engraved | {"quantity": 0}).status_code == 422
    assert client_for(make_user()).put(gold, engraved).status_code == 404

    (line,) = ada.put(silver, {"configuration": engraved["configuration"]}).json()["lines"]
    assert (line["quantity"], line["sku"]) == (7, "AURORE-GOLD")
    assert line["changedFrom"] is None
    Variant.objects.filter(sku="AURORE-SILVER").update(is_active=False)
    answer = ada.put(silver, {"configuration": {"metal": "silver"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "variant_not_sold")


def test_a_combination_without_a_variant_is_not_sold(ring: Product, ada: ApiClient) -> None:
    Variant.objects.filter(sku="AURORE-GOLD").update(is_active=False)
    body = {"product": "aurore", "configuration": {"metal": "gold"}}
    assert ada.post("/api/cart", body).json()["code"] == "variant_not_sold"


def test_a_cart_has_so_many_lines(
    ring: Product, ada: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("markethall.trade.cart.rules.MAX_LINES", 2)
    put_in(ada, ring)
    put_in(ada, ring, engraving="A")
    body = {"productId": str(ring.pk), "configuration": {"metal": "gold", "engraving": "B"}}
    assert ada.post("/api/cart", body).json()["code"] == "cart_full"
    assert quantities(put_in(ada, ring, engraving="A")) == [1, 2]


def test_lines_are_changed_removed_and_all_taken_out(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring)
    first, second = put_in(ada, ring, metal="silver")["lines"]
    cart = ada.put(f"/api/cart/{first['id']}", {"quantity": 3}).json()
    assert quantities(cart) == [3, 1]
    assert quantities(ada.delete(f"/api/cart/{second['id']}").json()) == [3]
    assert quantities(ada.put(f"/api/cart/{first['id']}", {"quantity": 0}).json()) == []
    assert ada.delete(f"/api/cart/{first['id']}").status_code == 404
    put_in(ada, ring)
    assert ada.delete("/api/cart").json()["lines"] == []


def test_a_price_that_changed_is_told_until_it_was_seen(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring)
    ProductPrice.objects.filter(product=ring, currency="USD").update(amount=110_000)
    (line,) = cart_of(ada)["lines"]
    assert line["changedFrom"] == {"amount": 150_000, "currency": "USD"}
    assert line["unitPrice"]["amount"] == 160_000
    assert cart_of(ada)["lines"][0]["changedFrom"], "looking alone is not having agreed"
    assert ada.post("/api/cart/seen").json()["lines"][0]["changedFrom"] is None
    assert cart_of(ada)["lines"][0]["changedFrom"] is None


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda: Product.objects.filter(slug="aurore").update(status="archived"), "not_sold"),
        (lambda: Variant.objects.filter(sku="AURORE-GOLD").update(is_active=False), "not_sold"),
        (
            lambda: OptionValue.objects.filter(code="gold").update(is_active=False),
            "configuration_invalid",
        ),
        (lambda: ProductPrice.objects.filter(currency="USD").delete(), "currency_not_sold"),
    ],
)
def test_what_is_no_longer_sold_is_shown_and_costs_nothing(
    ring: Product, ada: ApiClient, spoil: Callable[[], object], problem: str
) -> None:
    put_in(ada, ring)
    put_in(ada, make_ring("nova"))
    assert spoil()
    lines = cart_of(ada)["lines"]
    assert lines[0]["problem"] == problem and lines[0]["message"]
    assert lines[0]["total"]["amount"] == 0


def test_what_is_sold_out_is_said(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring, 3)
    StockItem.objects.update(on_hand=2)
    cart = cart_of(ada)
    (line,) = cart["lines"]
    assert (line["problem"], line["message"]) == ("out_of_stock", "Only 2 left.")
    assert not cart["canBeBought"]


def test_what_is_made_to_order_is_not_counted(ada: ApiClient) -> None:
    cart = put_in(ada, make_ring(stock=None), 50)
    assert cart["lines"][0]["available"] is None and cart["canBeBought"]


def test_a_country_brings_taxes_and_methods(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring)
    cart = cart_of(ada, "?country=DE&shippingMethod=express")
    assert [option["code"] for option in cart["shippingOptions"]] == ["insured", "express"]
    # From $500 on, insured delivery is free.
    assert [option["price"]["amount"] for option in cart["shippingOptions"]] == [0, 3500]
    assert cart["shipping"]["amount"] == 3500
    assert cart["total"]["amount"] == 153_500
    (stated,) = cart["taxes"]
    assert (stated["name"], stated["basisPoints"], stated["isInclusive"]) == ("VAT", 1900, True)
    # 150000 × 19 ÷ 119 and 3500 × 19 ÷ 119, each rounded.
    assert cart["tax"]["amount"] == stated["tax"]["amount"] == 23_950 + 559
    assert stated["net"]["amount"] + stated["tax"]["amount"] == 153_500
    assert cart["taxAdded"]["amount"] == 0


def test_where_nothing_goes_there_is_no_method(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring)
    cart = cart_of(ada, "?country=BR&shippingMethod=express")
    assert [option["code"] for option in cart["shippingOptions"]] == ["insured"]
    assert cart["shipping"] is None and cart["tax"]["amount"] == 0


def test_a_code_is_used_and_taken_off(ring: Product, ada: ApiClient) -> None:
    voucher()
    put_in(ada, ring)
    put_in(ada, ring, metal="silver")
    cart = ada.post("/api/cart/voucher", {"code": " ten off "}).json()
    assert cart["voucher"] == {"code": "TENOFF", "accepted": True, "reason": ""}
    assert cart["discount"]["amount"] == 25_000
    assert [line["discount"]["amount"] for line in cart["lines"]] == [15_000, 10_000]
    assert cart["total"]["amount"] == 225_000
    without = ada.delete("/api/cart/voucher").json()
    assert without["voucher"] is None and without["total"]["amount"] == 250_000


def test_free_shipping_makes_every_method_free(ring: Product, ada: ApiClient) -> None:
    voucher("SHIPFREE", kind="free_shipping", basis_points=None)
    put_in(ada, ring)
    ada.post("/api/cart/voucher", {"code": "SHIPFREE"})
    cart = cart_of(ada, "?country=DE&shippingMethod=express")
    assert cart["shipping"]["amount"] == 0 and cart["shippingMethod"] == "express"


def test_a_code_that_lapses_in_the_cart_says_why(ring: Product, ada: ApiClient) -> None:
    code = voucher()
    put_in(ada, ring)
    ada.post("/api/cart/voucher", {"code": "TENOFF"})
    Voucher.objects.filter(pk=code.pk).update(is_active=False)
    cart = cart_of(ada)
    assert cart["voucher"]["accepted"] is False and cart["voucher"]["reason"]
    assert cart["discount"]["amount"] == 0


def test_codes_cannot_be_guessed(ring: Product, ada: ApiClient) -> None:
    voucher()
    put_in(ada, ring)
    for _ in range(15):
        answer = ada.post("/api/cart/voucher", {"code": "GUESS"})
        assert (answer.status_code, answer.json()["code"]) == (409, "voucher_refused")
    # Beyond the limit the right one does not work either.
    assert ada.post("/api/cart/voucher", {"code": "TENOFF"}).status_code == 429
    assert cart_of(ada)["voucher"] is None


def test_a_code_that_works_is_no_guess(ring: Product, ada: ApiClient) -> None:
    voucher()
    put_in(ada, ring)
    for _ in range(20):
        assert ada.post("/api/cart/voucher", {"code": "TENOFF"}).status_code == 200


def test_a_cart_is_had_in_another_currency(ring: Product, ada: ApiClient) -> None:
    ProductPrice.objects.filter(product=ring, currency="EUR").update(amount=90_000)
    put_in(ada, ring)
    cart = ada.put("/api/cart/currency", {"currency": "EUR"}).json()
    assert cart["total"] == {"amount": 140_000, "currency": "EUR"}
    assert cart["lines"][0]["changedFrom"] is None, "another currency is no change of price"
    assert ada.put("/api/cart/currency", {"currency": "KWD"}).status_code == 422
    yen = ada.put("/api/cart/currency", {"currency": "JPY"}).json()
    assert yen["lines"][0]["problem"] == "currency_not_sold" and yen["total"]["amount"] == 0


def test_a_header_shows_another_currency_and_adding_keeps_it(ring: Product, ada: ApiClient) -> None:
    put_in(ada, ring)
    shown = ada.get("/api/cart", headers={"X-Currency": "EUR"}).json()
    assert shown["currency"] == "EUR"
    assert cart_of(ada)["currency"] == "USD"
    body = {"product": "aurore", "configuration": {"metal": "gold"}}
    ada.post("/api/cart", body, headers={"X-Currency": "EUR", "X-Storefront": "elysium"})
    assert cart_of(ada)["currency"] == "EUR"


class TestWhose:
    def test_a_visitor_has_a_cart_by_header(self, ring: Product) -> None:
        visitor = Visitor()
        put_in(visitor, ring)
        assert visitor.secret
        assert quantities(put_in(visitor, ring)) == [2]
        assert cart_of(Visitor())["lines"] == []

    def test_a_visitor_has_a_cart_by_cookie_with_csrf(self, ring: Product) -> None:
        browser = ApiClient(enforce_csrf_checks=True)
        origin = {"Origin": "http://testserver"}
        body = {"product": "aurore", "configuration": {"metal": "gold"}}
        answer = browser.post("/api/cart", body, headers=origin)
        assert answer.status_code == 201
        cookie = browser.cookies["visitor"]
        assert cookie["httponly"] and cookie["samesite"] == "Lax"
        assert browser.get("/api/cart").json()["count"] == 1
        assert browser.post("/api/cart", body, headers=origin).json()["code"] == "csrf_failed"
        browser.get("/api/auth/session")
        token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
        assert browser.post("/api/cart", body, headers={**origin, **token}).json()["count"] == 2

    def test_another_site_cannot_give_a_browser_a_cart(self, ring: Product) -> None:
        browser = ApiClient()
        body = {"product": "aurore", "configuration": {"metal": "gold"}}
        browser.post("/api/cart", body, headers={"Origin": "https://evil.example"})
        assert "visitor" not in browser.cookies

    @pytest.mark.parametrize("secret", ["x", "a" * 43, "a.b", "é", "x" * 5000])
    def test_a_secret_that_we_never_made_is_none(self, ring: Product, secret: str) -> None:
        visitor = Visitor()
        visitor.secret = secret if secret.isascii() else "x.y"
        put_in(visitor, ring)
        assert visitor.secret != secret

    def test_nobody_changes_another_ones_line(self, ring: Product, ada: ApiClient) -> None:
        (line,) = put_in(ada, ring)["lines"]
        bob = client_for(make_user())
        assert bob.put(f"/api/cart/{line['id']}", {"quantity": 9}).status_code == 404
        put_in(bob, ring, metal="silver")
        assert bob.put(f"/api/cart/{line['id']}", {"quantity": 9}).status_code == 404
        assert bob.delete(f"/api/cart/{line['id']}").status_code == 404
        assert quantities(cart_of(ada)) == [1]


def log_in(client: ApiClient, email: str, **headers: str) -> str:
    answer = client.post("/api/auth/login", {"email": email, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["token"])


class TestArrival:
    def test_a_visitors_cart_joins_the_users(self, ring: Product) -> None:
        user = make_user()
        put_in(client_for(user), ring, 98)
        visitor = Visitor()
        put_in(visitor, ring, 5)
        put_in(visitor, ring, 2, metal="silver")
        before = visitor.secret
        token = log_in(visitor, user.email, Origin="https://program.example")
        assert quantities(cart_of(ApiClient(token))) == [99, 2]
        assert visitor.secret != before, "the program is told a new secret"
        old = Visitor()
        old.secret = before
        assert cart_of(old)["lines"] == [] and cart_of(visitor)["lines"] == []
        assert Cart.objects.filter(user=None).count() == 0

    def test_a_full_cart_keeps_what_was_put_in_last_and_the_wishlist_the_rest(
        self, ring: Product, turn_clock: Callable[[timedelta], None]
    ) -> None:
        user, browser = make_user(), ApiClient()
        origin = {"Origin": "http://testserver"}

        def engrave(client: ApiClient, words: list[str]) -> None:
            for word in words:
                body = {"product": "aurore", "configuration": {"metal": "gold", "engraving": word}}
                assert client.post("/api/cart", body, headers=origin).status_code == 201

        own = [f"A{letter}" for letter in ascii_uppercase]
        new = [f"B{letter}" for letter in ascii_uppercase]
        engrave(client_for(user), own)
        turn_clock(timedelta(days=1))
        engrave(browser, [*new, "AA"])
        log_in(browser, user.email, **origin)
        lines = cart_of(client_for(user))["lines"]
        assert [line["configuration"]["engraving"] for line in lines] == [*own[3:], *new, "AA"]
        wishes = client_for(user).get("/api/wishlist").json()["items"]
        assert {wish["configuration"]["engraving"] for wish in wishes} == {"AB", "AC"}
        told = Client.get(browser, "/").content.decode()
        assert "Your cart is full: 2 older pieces are on your wishlist instead." in told

    def test_who_has_no_cart_gets_the_visitors_with_its_code(self, ring: Product) -> None:
        voucher()
        visitor, user = Visitor(), make_user()
        put_in(visitor, ring)
        visitor.post("/api/cart/voucher", {"code": "TENOFF"})
        token = log_in(visitor, user.email, Origin="https://program.example")
        cart = cart_of(ApiClient(token))
        assert cart["voucher"]["code"] == "TENOFF" and quantities(cart) == [1]

    def test_a_second_person_on_the_same_browser_sees_nothing_of_the_first(
        self, ring: Product
    ) -> None:
        ada, bob = make_user(), make_user()
        browser = ApiClient()
        origin = {"Origin": "http://testserver"}
        body = {"product": "aurore", "configuration": {"metal": "gold"}}
        browser.post("/api/cart", body, headers=origin)
        stolen = browser.cookies["visitor"].value
        log_in(browser, ada.email, **origin)
        assert browser.get("/api/cart").json()["count"] == 1
        assert browser.cookies["visitor"].value == "", "the secret ended"
        browser.post("/api/auth/logout", headers=origin)
        assert browser.get("/api/cart").json()["count"] == 0
        # What is put in now is nobody's yet, and not Ada's.
        browser.post("/api/cart", {**body, "configuration": {"metal": "silver"}}, headers=origin)
        assert browser.cookies["visitor"].value not in ("", stolen)
        log_in(browser, bob.email, **origin)
        (line,) = browser.get("/api/cart").json()["lines"]
        assert line["sku"] == "AURORE-SILVER"
        assert quantities(cart_of(client_for(ada))) == [1]
        thief = Visitor()
        thief.secret = stolen
        assert cart_of(thief)["lines"] == []

    def test_signing_in_on_a_page_joins_too(self, ring: Product) -> None:
        user = make_user()
        browser = ApiClient()
        body = {"product": "aurore", "configuration": {"metal": "gold"}}
        browser.post("/api/cart", body, headers={"Origin": "http://testserver"})
        form = {"email": user.email, "password": PASSWORD}
        answer = Client.post(browser, "/login", form)
        assert answer.status_code == 302
        assert quantities(cart_of(client_for(user))) == [1]


def test_forgotten_carts_of_visitors_are_swept(
    ring: Product, ada: ApiClient, turn_clock: Callable[[timedelta], None]
) -> None:
    put_in(Visitor(), ring)
    put_in(ada, ring)
    turn_clock(timedelta(days=89))
    late = Visitor()
    put_in(late, ring)
    end_retention(0)
    assert Cart.objects.count() == 3
    turn_clock(timedelta(days=2))
    end_retention(0)
    assert Cart.objects.count() == 2
    assert Cart.objects.filter(user=None).count() == 1
    assert CartLine.objects.count() == 2


def test_a_cart_asks_as_much_for_many_lines_as_for_few(ring: Product, ada: ApiClient) -> None:
    rings = [make_ring(f"ring-{index}") for index in range(8)]
    voucher()
    asked, sent = [], "?country=DE&shippingMethod=insured"
    for few in (rings[:2], rings[2:]):
        for each in few:
            put_in(ada, each)
            put_in(ada, each, metal="silver")
        ada.post("/api/cart/voucher", {"code": "TENOFF"})
        cart_of(ada, sent)  # what is kept has been read
        with CaptureQueriesContext(connection) as queries:
            cart = cart_of(ada, sent)
        asked.append((len(cart["lines"]), len(queries)))
    assert asked[0][0] == 4 and asked[1][0] == 16
    assert asked[0][1] == asked[1][1] <= 5, asked
