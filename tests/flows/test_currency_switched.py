"""The currency is switched midway, in another tab: nobody pays one currency's number in another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from house.cart import HOME, cart_of, check_out, make_ring, put_in
from house.parallel import together
from house.people import ApiClient, client_for, make_user
from house.till import books_are_right, deliver_and_settle, payment_of, press
from markethall.foundation.payments.models import Payment
from markethall.kernel import clock
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.catalog.models import ProductPrice
from markethall.trade.inventory.models import StockItem
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import ShippingPrice
from markethall.trade.vouchers.models import Voucher

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]
_HERE = {"X-Storefront": "elysium"}
_SENT = {
    "shipping-country": "DE",
    "shipping-name": "Ada Byron",
    "shipping-line1": "Lindenweg 4",
    "shipping-postal_code": "10115",
    "shipping-city": "Berlin",
    "email": "ada@example.com",
    "method": "insured",
    "same": "1",
}


def into(client: ApiClient, currency: str) -> dict[str, Any]:
    answer = client.put("/api/cart/currency", {"currency": currency}, headers=_HERE)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def ordered(started: dict[str, Any]) -> Order:
    return Order.objects.get(pk=started["orderId"])


def is_of_one_currency(order: Order) -> bool:
    """Whether what is asked for is what the order says, in its currency."""
    return {payment.money for payment in Payment.objects.filter(reference=order.pk)} == {
        order.total_money
    }


def seen_in(answer: Any) -> dict[str, str]:
    found = re.findall(r'name="(seen_total|seen_currency)" value="(\w+)"', answer.content.decode())
    return dict(found)


@pytest.fixture
def dear() -> ApiClient:
    """Somebody with a ring in the cart, that costs the same number in dollars and in euros."""
    client = client_for(make_user())
    put_in(client, make_ring())
    return client


class TestOfPrograms:
    def test_the_same_number_of_another_currency_is_another_total(self, dear: ApiClient) -> None:
        shown = cart_of(dear, "?country=DE&shippingMethod=insured")["total"]
        into(dear, "EUR")
        agreed = {"seenTotal": shown["amount"], "seenCurrency": shown["currency"]}
        refused = check_out(dear, status=409, **agreed)
        assert refused["code"] == "total_changed"
        assert refused["quote"]["total"] == {"amount": shown["amount"], "currency": "EUR"}
        assert not Order.objects.exists()
        started = check_out(dear, seenTotal=shown["amount"], seenCurrency="EUR")
        assert started["total"] == refused["quote"]["total"]
        assert is_of_one_currency(ordered(started))

    def test_what_a_header_showed_was_agreed_on_in_its_currency(self, dear: ApiClient) -> None:
        asked = {"X-Storefront": "elysium", "X-Currency": "EUR"}
        shown = dear.get("/api/cart?country=DE&shippingMethod=insured", headers=asked).json()
        assert shown["total"]["currency"] == "EUR"
        agreed = {"seenTotal": shown["total"]["amount"], "headers": {"X-Currency": "EUR"}}
        assert check_out(dear, status=409, **agreed)["code"] == "total_changed"
        into(dear, "EUR")
        assert check_out(dear, **agreed)["total"] == shown["total"]

    def test_the_order_that_waits_gives_its_place_to_the_one_in_the_other_currency(
        self, dear: ApiClient
    ) -> None:
        first = check_out(dear)
        into(dear, "EUR")
        second = check_out(dear)
        assert ordered(first).status == OrderStatus.CANCELLED
        assert (ordered(first).currency, ordered(second).currency) == ("USD", "EUR")
        assert StockItem.objects.get(variant__sku="AURORE-GOLD").reserved == 1
        press(first)
        press(second)
        deliver_and_settle()
        assert ordered(second).status == OrderStatus.PAID
        back = payment_of(ordered(first))
        assert (back.is_surplus, back.refunded) == (True, back.amount)
        assert is_of_one_currency(ordered(first))
        assert is_of_one_currency(ordered(second))
        assert books_are_right()

    def test_an_order_is_paid_as_it_was_placed(self, dear: ApiClient) -> None:
        started = check_out(dear)
        into(dear, "EUR")
        press(started, "declined")
        deliver_and_settle()
        again = dear.post(
            "/api/payments/create-checkout",
            {"orderId": started["orderId"]},
            headers={"X-Currency": "EUR"},
        )
        assert again.status_code == 201, again.content
        press(again.json())
        deliver_and_settle()
        order = ordered(started)
        assert (order.status, order.currency) == (OrderStatus.PAID, "USD")
        assert is_of_one_currency(order)
        assert cart_of(dear)["lines"] == []
        assert books_are_right()

    def test_money_off_in_one_currency_is_not_taken_off_another(self, dear: ApiClient) -> None:
        Voucher.objects.create(
            storefront="elysium",
            code="EURO50",
            kind="amount",
            amount=5000,
            currency="EUR",
            max_uses=1,
            created_at=clock.now(),
        )
        into(dear, "EUR")
        dear.post("/api/cart/voucher", {"code": "EURO50"}, headers=_HERE)
        first = check_out(dear)
        assert (ordered(first).discount, ordered(first).currency) == (5000, "EUR")
        shown = into(dear, "USD")
        assert (shown["discount"]["amount"], shown["voucher"]["accepted"]) == (0, False)
        assert check_out(dear, status=409)["code"] == "voucher_refused"
        second = check_out(dear, seenTotal=150_000)
        assert (ordered(second).discount, ordered(second).voucher) == (0, "")
        assert Voucher.objects.get().used == 0, "the order that used it has lost its place"
        into(dear, "EUR")
        third = check_out(dear)
        assert (ordered(third).discount, Voucher.objects.get().used) == (5000, 1)

    def test_sending_is_free_from_a_sum_in_the_orders_own_currency(self, dear: ApiClient) -> None:
        ShippingPrice.objects.filter(method__code="insured", currency="USD").update(
            amount=1500, free_from=150_001
        )
        ShippingPrice.objects.filter(method__code="insured", currency="EUR").update(
            amount=1400, free_from=150_000
        )
        assert check_out(dear)["total"] == {"amount": 151_500, "currency": "USD"}
        into(dear, "EUR")
        assert check_out(dear)["total"] == {"amount": 150_000, "currency": "EUR"}

    def test_what_is_not_sold_in_it_is_not_bought_in_it(self, dear: ApiClient) -> None:
        shown = into(dear, "GBP")
        assert shown["lines"][0]["problem"] == "currency_not_sold"
        assert shown["total"]["amount"] == 0
        assert check_out(dear, status=422)["code"] == "cart_empty"
        assert check_out(dear, status=422, seenTotal=0)["code"] == "cart_empty"


@pytest.mark.parametrize("comes_from", ["EUR", "USD"])
def test_on_the_page_too(client: Client, comes_from: str) -> None:
    make_ring()
    other = {"EUR": "USD", "USD": "EUR"}[comes_from]
    client.get(f"/elysium?currency={comes_from}")
    client.post("/elysium/bag/lines", {"product": "aurore", "option.metal": "gold"})
    seen = seen_in(client.post("/elysium/checkout/quote", _SENT))
    assert seen["seen_currency"] == comes_from
    client.get(f"/elysium?currency={other}")
    answer = client.post("/elysium/checkout", {**_SENT, **seen})
    assert answer.status_code == 409
    assert not Order.objects.exists()
    again = seen_in(answer)
    assert again == {**seen, "seen_currency": other}
    assert client.post("/elysium/checkout", {**_SENT, **again}).status_code == 303
    order = Order.objects.get()
    assert (order.currency, order.total) == (other, int(again["seen_total"]))
    assert is_of_one_currency(order)


@pytest.mark.django_db(transaction=True)
def test_whenever_it_is_switched_an_order_is_of_one_currency() -> None:
    """Sixteen checkouts while the currency goes to and fro: each order costs what its currency
    says, and no line keeps the number of another."""
    ring = make_ring()
    ProductPrice.objects.filter(product=ring, currency="EUR").update(amount=92_000)
    user = make_user()
    client = client_for(user)
    put_in(client, ring)
    put_in(client, ring, 2, metal="silver")

    def switch(first: str, second: str) -> list[int]:
        own = client_for(user)
        return [
            own.put("/api/cart/currency", {"currency": each}, headers=_HERE).status_code
            for each in (first, second) * 4
        ]

    def buy(number: int) -> list[int]:
        own = client_for(user)
        body = {"shippingMethod": "insured", "shippingAddress": HOME}
        return [
            own.post("/api/checkout", {**body, "note": f"{number} {turn}"}).status_code
            for turn in range(4)
        ]

    acts: list[Any] = [lambda: switch("EUR", "USD"), lambda: switch("USD", "EUR")]
    acts += [lambda n=n: buy(n) for n in range(3)]
    statuses = together(acts)
    assert [each for each in statuses if isinstance(each, Exception)] == []
    assert {status for each in statuses for status in each} <= {200, 201}
    right = {"USD": (350_000, 150_000, 100_000), "EUR": (326_000, 142_000, 92_000)}
    for order in Order.objects.prefetch_related("lines"):
        goods, gold, silver = right[order.currency]
        assert order.items_total == goods
        units = {line.item: line.unit_amount for line in order.lines.all()}
        assert units == {"AURORE-GOLD": gold, "AURORE-SILVER": silver}
        assert is_of_one_currency(order)
    cart = Cart.objects.get()
    goods, gold, silver = right[cart.currency]
    seen = dict(CartLine.objects.values_list("variant__sku", "seen_amount"))
    assert seen == {"AURORE-GOLD": gold, "AURORE-SILVER": silver}
    assert Order.objects.filter(status=OrderStatus.PENDING).count() == 1
