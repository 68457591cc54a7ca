"""Who changes their mind at the checkout while others do, and who signs in on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from house.after import placed
from house.cart import HOME, Visitor, check_out, make_ring, put_in
from house.jobs import run_jobs
from house.parallel import together
from house.people import ApiClient, client_for, make_user
from house.till import books_are_right, deliver_and_settle, press
from markethall.flows.arrival import arrive
from markethall.flows.goods_news import confirm_order, confirm_waiting
from markethall.foundation.accounts.limits import LIMITS
from markethall.foundation.messaging.models import Mail
from markethall.kernel import clock
from markethall.kernel.ids import digest
from markethall.trade.cart.actions import see_prices
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.catalog.models import Product, ProductPrice
from markethall.trade.inventory.models import StockItem
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import ShippingPrice
from markethall.trade.vouchers.models import Voucher, VoucherUse

pytestmark = pytest.mark.usefixtures("till")
Turn = Callable[[timedelta], None]
_ROUNDS = 4
_BODY = {"shippingAddress": HOME, "shippingMethod": "insured"}
_HERE = {"X-Storefront": "elysium"}


def _changing(client: ApiClient, rings: Sequence[Product], codes: Sequence[str]) -> list[int]:
    """Order one ring with one code, then the other with the other, over and over."""
    answers = []
    for turn in range(_ROUNDS * 2):
        client.delete("/api/cart", headers=_HERE)
        put_in(client, rings[turn % 2])
        code = {"code": codes[turn % 2]}
        assert client.post("/api/cart/voucher", code, headers=_HERE).status_code == 200
        answers.append(client.post("/api/checkout", _BODY).status_code)
    return answers


@pytest.mark.django_db(transaction=True)
def test_whoever_goes_from_one_to_the_other_meets_who_goes_the_other_way() -> None:
    rings = [make_ring("aurore", stock=50), make_ring("nova", stock=50)]
    for code in ("ONE", "TWO"):
        Voucher.objects.create(
            storefront="elysium",
            code=code,
            kind="percentage",
            basis_points=1000,
            created_at=clock.now(),
        )
    acts: list[Any] = []
    for place in range(4):
        client, step = client_for(make_user()), -1 if place % 2 else 1
        codes = ["ONE", "TWO"][:: 1 if place < 2 else -1]
        acts.append(lambda c=client, r=rings[::step], v=codes: _changing(c, r, v))
    assert together(acts) == [[201] * _ROUNDS * 2] * 4
    assert Order.objects.filter(status=OrderStatus.PENDING).count() == 4
    assert VoucherUse.objects.count() == sum(Voucher.objects.values_list("used", flat=True)) == 4
    assert sum(StockItem.objects.values_list("reserved", flat=True)) == 4


@pytest.mark.django_db
def test_a_guest_who_signs_in_orders_the_same_again_as_themselves() -> None:
    ring, ada = make_ring(), make_user(email="ada@example.com")
    guest = Visitor()
    put_in(guest, ring)
    first = check_out(guest, email="ada@example.com")
    arrive(ada, digest(guest.secret))
    second = check_out(client_for(ada))
    assert Order.objects.get(pk=first["orderId"]).status == OrderStatus.CANCELLED
    assert Order.objects.get(pk=second["orderId"]).customer_id == ada.pk
    assert StockItem.objects.get(variant__sku="AURORE-GOLD").reserved == 1
    assert books_are_right()


@pytest.mark.django_db(transaction=True)
def test_a_cart_that_is_looked_at_while_it_is_paid() -> None:
    ring, user = make_ring(stock=None), make_user()
    client = client_for(user)
    for turn in range(4):
        for letter in "ABCDEFGH"[:: -1 if turn % 2 else 1]:
            put_in(client, ring, engraving=letter)
        press(check_out(client))
        cart = Cart.objects.get(user=user)
        ids = list(CartLine.objects.filter(cart=cart).order_by("-pk").values_list("pk", flat=True))

        def look(cart: Cart = cart, ids: Sequence[Any] = ids) -> None:
            for amount in range(6):
                see_prices(cart=cart, seen=dict.fromkeys(ids, amount))

        assert together([look, deliver_and_settle, look]) == [None] * 3
        assert not CartLine.objects.exists()


@pytest.mark.django_db
def test_an_order_whose_place_another_takes_is_not_mailed_about() -> None:
    guest = Visitor()
    put_in(guest, make_ring())
    for note in ("one", "two", "three"):
        check_out(guest, email="ada@example.com", note=note)
    assert Order.objects.filter(status=OrderStatus.CANCELLED).count() == 2
    assert not Mail.objects.filter(to="ada@example.com").exists()


@pytest.mark.django_db
def test_a_guests_address_is_named_so_often() -> None:
    by_account = LIMITS["checkout"].by_account
    assert by_account
    guest = Visitor()
    put_in(guest, make_ring())
    wrong = {**_BODY, "email": "ada@example.com", "shippingMethod": "pigeon"}
    for _ in range(by_account.count):
        assert guest.post("/api/checkout", wrong).status_code == 422
    other = Visitor()
    put_in(other, make_ring("nova"))
    check_out(other, status=429, email="Ada@example.com")
    check_out(other, email="grace@example.com")


@pytest.mark.django_db(transaction=True)
def test_who_has_not_paid_within_ten_minutes_is_told_where_to_once(turn_clock: Turn) -> None:
    guests = [Visitor() for _ in range(3)]
    orders = []
    for number, guest in enumerate(guests):
        put_in(guest, make_ring(f"ring-{number}"))
        orders.append(check_out(guest, email=f"guest-{number}@example.com"))
    press(orders[0])
    deliver_and_settle()
    check_out(guests[1], email="guest-1@example.com", note="Otherwise")
    received = Mail.objects.filter(template="order_received").order_by("to")
    turn_clock(timedelta(minutes=9))
    confirm_waiting()
    run_jobs(["mail"])
    assert not received.exists()
    turn_clock(timedelta(minutes=2))
    for _ in range(2):
        confirm_waiting()
        run_jobs(["mail"])
    told = [mail.to for mail in received]
    assert told == ["guest-1@example.com", "guest-2@example.com"]


@pytest.mark.django_db
def test_the_job_that_confirms_an_order_can_run_twice() -> None:
    orders = [placed(), placed()]
    for order in (*orders, *orders):
        confirm_order(order.pk)
    assert Mail.objects.filter(template="order_received").count() == 2


@pytest.mark.django_db(transaction=True)
def test_nobody_pays_what_they_did_not_see_while_staff_change_it() -> None:
    """Prices, ways to send and tax rates are kept until they change: never longer."""
    ring = make_ring(stock=None)
    clients = [client_for(make_user()) for _ in range(3)]
    for client in clients:
        put_in(client, ring)
    insured = ShippingPrice.objects.get(method__code="insured", currency="USD")

    def change(step: int) -> None:
        for turn in range(6):
            ProductPrice.objects.filter(currency="USD").update(amount=100_000 + turn * step)
            ShippingPrice.objects.filter(pk=insured.pk).update(amount=2_000 + turn, free_from=None)

    def buy(client: ApiClient) -> list[tuple[int, int, int]]:
        paid = []
        for turn in range(6):
            asked = {"country": "DE", "shippingMethod": "insured"}
            seen = client.post("/api/checkout/quote", asked, headers=_HERE).json()["total"][
                "amount"
            ]
            body = {**_BODY, "seenTotal": seen, "note": str(turn)}
            answer = client.post("/api/checkout", body)
            said = answer.json()
            paid.append(
                (answer.status_code, seen, said["total"]["amount"] if "total" in said else 0)
            )
        return paid

    acts: list[Any] = [lambda c=c: buy(c) for c in clients]
    bought = together([*acts, lambda: change(100), lambda: change(70)])
    assert [each for each in bought if isinstance(each, Exception)] == []
    tries = [each for some in bought[:3] for each in some]  # type: ignore[union-attr]
    assert {status for status, _, _ in tries} <= {201, 409}
    assert all(seen == total for status, seen, total in tries if status == 201)
    for order in Order.objects.prefetch_related("lines"):
        (line,) = order.lines.all()
        assert order.total == line.unit_amount + order.shipping == line.total + order.shipping
    now = ProductPrice.objects.get(product=ring, currency="USD").amount
    insured.refresh_from_db()
    started = check_out(clients[0], note="the last")
    assert started["total"]["amount"] == now + 50_000 + insured.amount
