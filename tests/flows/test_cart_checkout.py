"""From a cart to a paid order: back button, double click, two tabs, declines, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.cart import HOME, Visitor, cart_of, check_out, make_ring, put_in, quantities
from house.parallel import together
from house.people import client_for, make_user
from house.till import books_are_right, deliver_and_settle, press
from markethall.flows.cart_checkout import TotalChanged
from markethall.flows.cart_checkout import check_out as check_out_flow
from markethall.foundation.accounts.models import Address, User
from markethall.foundation.payments.models import Payment
from markethall.kernel import clock
from markethall.trade.cart.models import Cart
from markethall.trade.catalog.models import Product, ProductPrice
from markethall.trade.inventory.models import StockItem
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.vouchers.models import Voucher, VoucherUse

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


@pytest.fixture
def ring(till: None) -> Product:
    return make_ring()


@pytest.fixture
def ada(till: None) -> User:
    return make_user(email="ada@example.com")


def voucher(code: str = "TENOFF", **fields: Any) -> Voucher:
    fields = {"kind": "percentage", "basis_points": 1000, **fields}
    return Voucher.objects.create(storefront="elysium", code=code, created_at=clock.now(), **fields)


def level(sku: str = "AURORE-GOLD") -> tuple[int, int]:
    """(on hand, reserved) of a variant."""
    item = StockItem.objects.get(variant__sku=sku)
    return item.on_hand, item.reserved


def order_of(started: dict[str, Any]) -> Order:
    return Order.objects.get(pk=started["orderId"])


class TestOrder:
    def test_it_is_what_was_agreed_on(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring, 2, engraving="A and B")
        started = check_out(client, shippingMethod="express", note="Ring twice.")
        order = order_of(started)
        assert (order.customer_id, order.email) == (ada.pk, ada.email)
        assert (order.items_total, order.shipping, order.total) == (300_000, 3500, 303_500)
        assert order.tax == sum(row["tax"] for row in order.taxes) > 0 == order.tax_added
        assert order.shipping_method == "Express courier"
        assert order.shipping_address["postal_code"] == "10117"
        assert order.billing_address == order.shipping_address
        assert order.customer_note == "Ring twice."
        (line,) = order.lines.all()
        assert (line.kind, line.item, line.quantity) == ("goods", "AURORE-GOLD", 2)
        assert line.tax_basis_points == 1900
        assert line.data["configuration"] == {"metal": "gold", "engraving": "A and B"}
        assert line.data["shown"] == [["Metal", "Gold"], ["Engraving", "A and B"]]
        assert level() == (10, 2)
        assert quantities(cart_of(client)) == [2], "the cart stays until the order is paid"

    def test_paid_it_takes_the_goods_and_empties_the_cart(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring, 2)
        voucher()
        client.post("/api/cart/voucher", {"code": "TENOFF"})
        started = check_out(client)
        press(started)
        deliver_and_settle()
        assert order_of(started).status == OrderStatus.PAID
        assert level() == (8, 0)
        cart = cart_of(client)
        assert cart["lines"] == [] and cart["voucher"] is None
        assert books_are_right()

    def test_only_what_was_bought_leaves_the_cart(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring, 2)
        started = check_out(client)
        put_in(client, ring, 1)
        put_in(client, ring, 1, metal="silver")
        press(started)
        deliver_and_settle()
        assert quantities(cart_of(client)) == [1, 1]

    def test_a_guest_buys_by_address_and_link(self, ring: Product) -> None:
        guest = Visitor()
        put_in(guest, ring)
        refused = check_out(guest, status=422)
        assert refused["errors"][0]["path"] == "email"
        started = check_out(guest, email=" Guest@Example.com ")
        order = order_of(started)
        assert (order.customer_id, order.email) == (None, "guest@example.com")
        assert "/orders/track/" in started["orderUrl"]
        press(started)
        deliver_and_settle()
        assert order_of(started).status == OrderStatus.PAID
        assert cart_of(guest)["lines"] == []

    def test_a_guest_who_signs_in_before_paying_has_no_leftovers(
        self, ring: Product, ada: User
    ) -> None:
        from markethall.flows.arrival import arrive
        from markethall.kernel.ids import digest

        guest = Visitor()
        put_in(guest, ring)
        started = check_out(guest, email="guest@example.com")
        arrive(ada, digest(guest.secret))
        assert quantities(cart_of(client_for(ada))) == [1]
        press(started)
        deliver_and_settle()
        assert cart_of(client_for(ada))["lines"] == []

    def test_an_address_is_kept_once_on_wish(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring)
        check_out(client)
        assert not Address.objects.exists()
        check_out(client, keepAddress=True)
        check_out(client, keepAddress=True)
        (kept,) = Address.objects.filter(user=ada)
        assert (kept.kind, kept.city, kept.is_default) == ("shipping", "Berlin", True)

    def test_a_free_order_is_paid_without_a_gateway(self, ring: Product, ada: User) -> None:
        voucher("ALLOFF", basis_points=10_000)
        client = client_for(ada)
        put_in(client, ring)
        client.post("/api/cart/voucher", {"code": "ALLOFF"})
        put_in(client, make_ring("nova"), 3)
        voucher("SHIP", kind="free_shipping", basis_points=None)
        # Goods for nothing still pay the courier; insured delivery is not free below $500.
        started = check_out(client)
        assert order_of(started).total == 1500
        free = voucher("FREE", kind="free_shipping", basis_points=None)
        assert free
        Product.objects.filter(slug="nova").update(status="archived")
        from markethall.trade.shipping.models import ShippingPrice

        ShippingPrice.objects.update(amount=0)
        started = check_out(client)
        assert started["paymentId"] is None and started["status"] == "PAID"
        assert "/orders/" in started["checkoutUrl"]
        assert not Payment.objects.filter(reference=started["orderId"]).exists()
        assert level() == (9, 0)
        # What is no longer sold was not bought, and is still shown.
        assert [line["problem"] for line in cart_of(client)["lines"]] == ["not_sold"]


class TestAgain:
    def test_a_second_click_leads_to_the_same_payment(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring)
        voucher(max_uses=1, max_uses_each=1)
        client.post("/api/cart/voucher", {"code": "TENOFF"})
        first = check_out(client)
        assert cart_of(client)["voucher"]["accepted"], "it is used for this cart's own order"
        assert check_out(client) == first
        assert Order.objects.count() == Payment.objects.count() == 1
        assert level() == (10, 1)

    def test_a_key_gives_the_first_answer_even_after_the_payment(
        self, ring: Product, ada: User
    ) -> None:
        client = client_for(ada)
        put_in(client, ring)
        key = {"Idempotency-Key": "one"}
        first = check_out(client, headers=key)
        press(first)
        deliver_and_settle()
        assert check_out(client, headers=key) == first
        assert Order.objects.count() == 1
        check_out(client, status=422)

    def test_two_guests_may_choose_the_same_key(self, ring: Product) -> None:
        started = []
        for name in ("a", "b"):
            guest = Visitor()
            put_in(guest, ring)
            headers = {"Idempotency-Key": "one"}
            started.append(check_out(guest, email=f"{name}@example.com", headers=headers))
        assert started[0]["orderId"] != started[1]["orderId"]

    def test_another_address_takes_the_orders_place(self, ring: Product, ada: User) -> None:
        StockItem.objects.update(on_hand=1)
        voucher(max_uses=1)
        client = client_for(ada)
        put_in(client, ring)
        client.post("/api/cart/voucher", {"code": "TENOFF"})
        first = check_out(client)
        second = check_out(client, shippingAddress={**HOME, "line1": "Unter den Linden 2"})
        assert order_of(first).status == OrderStatus.CANCELLED
        assert order_of(second).status == OrderStatus.PENDING
        assert level() == (1, 1), "the last piece is the new order's"
        assert VoucherUse.objects.get().reference == order_of(second).pk

    def test_a_payment_of_the_order_that_was_replaced_goes_back(
        self, ring: Product, ada: User
    ) -> None:
        client = client_for(ada)
        put_in(client, ring)
        first = check_out(client)
        put_in(client, ring)
        second = check_out(client)
        press(first)
        deliver_and_settle()
        paid = Payment.objects.get(reference=first["orderId"])
        assert (paid.is_surplus, paid.refunded) == (True, paid.amount)
        assert order_of(second).status == OrderStatus.PENDING
        assert books_are_right()

    def test_a_declined_payment_is_tried_again(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring)
        first = check_out(client)
        press(first, "declined")
        deliver_and_settle()
        assert order_of(first).status == OrderStatus.PAYMENT_FAILED
        again = check_out(client)
        assert again["orderId"] == first["orderId"]
        press(again)
        deliver_and_settle()
        assert order_of(first).status == OrderStatus.PAID
        assert cart_of(client)["lines"] == []

    def test_an_abandoned_payment_keeps_the_cart_and_frees_the_rest(
        self, ring: Product, ada: User
    ) -> None:
        voucher(max_uses=1)
        client = client_for(ada)
        put_in(client, ring)
        client.post("/api/cart/voucher", {"code": "TENOFF"})
        first = check_out(client)
        press(first, "abandoned")
        deliver_and_settle()
        assert order_of(first).status == OrderStatus.CANCELLED
        assert level() == (10, 0) and not VoucherUse.objects.exists()
        assert Voucher.objects.get().used == 0
        second = check_out(client)
        assert second["orderId"] != first["orderId"]

    def test_going_on_after_the_reservation_lapsed_reserves_anew(
        self, ring: Product, ada: User, turn_clock: Callable[[timedelta], None]
    ) -> None:
        StockItem.objects.update(on_hand=1)
        client = client_for(ada)
        put_in(client, ring)
        first = check_out(client)
        turn_clock(timedelta(hours=2))
        bob = client_for(make_user())
        put_in(bob, ring)
        check_out(bob)
        refused = check_out(client, status=409)
        assert refused["code"] == "out_of_stock"
        assert "sold out" in refused["errors"][0]["message"]
        assert order_of(first).status == OrderStatus.PENDING


class TestRefused:
    def test_a_price_that_changed_midway_is_said(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        put_in(client, ring)
        ProductPrice.objects.filter(currency="USD").update(amount=110_000)
        refused = check_out(client, status=409, seenTotal=150_000)
        assert refused["code"] == "total_changed"
        assert refused["quote"]["total"]["amount"] == 160_000
        assert refused["quote"]["lines"][0]["changedFrom"]["amount"] == 150_000
        assert not Order.objects.exists() and level() == (10, 0)
        assert check_out(client, seenTotal=160_000)["total"]["amount"] == 160_000

    def test_a_code_that_no_longer_works_is_said(self, ring: Product, ada: User) -> None:
        voucher()
        client = client_for(ada)
        put_in(client, ring)
        client.post("/api/cart/voucher", {"code": "TENOFF"})
        Voucher.objects.update(is_active=False)
        assert check_out(client, status=409)["code"] == "voucher_refused"
        # Who has seen the total without it may buy.
        assert check_out(client, seenTotal=150_000)["total"]["amount"] == 150_000

    @pytest.mark.parametrize(
        ("changes", "code", "path"),
        [
            ({"shippingMethod": "pigeon"}, "validation_error", "shippingMethod"),
            ({"shippingAddress": {**HOME, "postalCode": "1"}}, "address_invalid",
             "shippingAddress.postalCode"),
            ({"billingAddress": {**HOME, "name": ""}}, "address_invalid", "billingAddress.name"),
            ({"returnUrl": "https://evil.example/"}, "validation_error", "returnUrl"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_named(
        self, ring: Product, ada: User, changes: dict[str, Any], code: str, path: str
    ) -> None:
        client = client_for(ada)
        put_in(client, ring)
        refused = check_out(client, status=422, **changes)
        assert (refused["code"], refused["errors"][0]["path"]) == (code, path)
        assert not Order.objects.exists()

    def test_where_nothing_goes_nothing_is_sold(self, ring: Product, ada: User) -> None:
        from markethall.trade.shipping.models import ShippingMethod

        ShippingMethod.objects.update(countries=["AT"])
        client = client_for(ada)
        put_in(client, ring)
        assert check_out(client, status=422)["code"] == "nothing_ships_there"

    def test_an_empty_cart_is_not_bought(self, ring: Product, ada: User) -> None:
        client = client_for(ada)
        assert check_out(client, status=404)["code"] == "cart_line_not_found"
        put_in(client, ring)
        Product.objects.update(status="archived")
        assert check_out(client, status=422)["code"] == "cart_empty"

    def test_what_is_sold_out_leaves_nothing_behind(self, ring: Product, ada: User) -> None:
        code = voucher()
        client = client_for(ada)
        put_in(client, ring, 3)
        client.post("/api/cart/voucher", {"code": "TENOFF"})
        StockItem.objects.update(on_hand=2)
        refused = check_out(client, status=409)
        assert refused["code"] == "out_of_stock"
        assert refused["errors"][0]["message"] == "Only 2 are left."
        assert not Order.objects.exists() and level() == (2, 0)
        code.refresh_from_db()
        assert code.used == 0


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_a_double_click_places_one_order(self, till: None) -> None:
        ring, user = make_ring(), make_user()
        put_in(client_for(user), ring)
        clients = [client_for(user) for _ in range(6)]
        results = together([lambda c=client: check_out(c) for client in clients])
        assert len({result["orderId"] for result in results if isinstance(result, dict)}) == 1
        assert all(isinstance(result, dict) for result in results), results
        assert Order.objects.count() == Payment.objects.count() == 1
        assert level() == (10, 1)

    def test_parallel_checkouts_do_not_overspend_a_code(self, till: None) -> None:
        ring = make_ring(stock=None)
        voucher(max_uses=2)
        shoppers = [Visitor() for _ in range(8)]
        for number, shopper in enumerate(shoppers):
            put_in(shopper, ring)
            assert shopper.post("/api/cart/voucher", {"code": "TENOFF"}).status_code == 200, number
        results = together(
            [
                lambda s=shopper, n=number: s.post(
                    "/api/checkout",
                    {
                        "email": f"{n}@example.com",
                        "shippingAddress": HOME,
                        "shippingMethod": "insured",
                    },
                )
                for number, shopper in enumerate(shoppers)
            ]
        )
        statuses = sorted(answer.status_code for answer in results)
        assert statuses == [201, 201, *[409] * 6]
        assert Voucher.objects.get().used == VoucherUse.objects.count() == 2
        assert Order.objects.count() == 2

    def test_one_person_with_many_carts_uses_a_code_once(self, till: None) -> None:
        ring = make_ring(stock=None)
        voucher(max_uses_each=1)
        shoppers = [Visitor() for _ in range(6)]
        for shopper in shoppers:
            put_in(shopper, ring)
            shopper.post("/api/cart/voucher", {"code": "TENOFF"})
        body = {"email": "one@example.com", "shippingAddress": HOME, "shippingMethod": "insured"}
        results = together(
            [lambda s=shopper: s.post("/api/checkout", body) for shopper in shoppers]
        )
        assert sorted(answer.status_code for answer in results) == [201, *[409] * 5]
        assert Order.objects.filter(voucher="TENOFF").count() == 1

    def test_the_last_piece_is_sold_once(self, till: None) -> None:
        ring = make_ring(stock=1)
        clients = [client_for(make_user()) for _ in range(8)]
        for client in clients:
            put_in(client, ring)
        body = {"shippingAddress": HOME, "shippingMethod": "insured"}
        results = together([lambda c=client: c.post("/api/checkout", body) for client in clients])
        assert sorted(answer.status_code for answer in results) == [201, *[409] * 7]
        assert level() == (1, 1)

    def test_two_tabs_that_want_different_things_leave_one_order_open(self, till: None) -> None:
        ring, user = make_ring(stock=1), make_user()
        put_in(client_for(user), ring)
        streets = [{**HOME, "line1": f"Street {number}"} for number in range(5)]
        results = together(
            [lambda a=street: check_out(client_for(user), shippingAddress=a) for street in streets]
        )
        assert all(isinstance(result, dict) for result in results), results
        assert Order.objects.filter(status=OrderStatus.PENDING).count() == 1
        assert Order.objects.filter(status=OrderStatus.CANCELLED).count() == 4
        assert level() == (1, 1)


def test_the_flow_tells_the_quote_of_now(ring: Product, ada: User) -> None:
    put_in(client_for(ada), ring)
    cart = Cart.objects.get(user=ada)
    with pytest.raises(TotalChanged) as changed:
        check_out_flow(
            cart=cart,
            customer=ada,
            shipping_address={**HOME, "postal_code": "10117"},
            method_code="insured",
            seen_total=1,
        )
    assert changed.value.quote.total.amount == 150_000
