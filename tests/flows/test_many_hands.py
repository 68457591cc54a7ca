"""Buyers, staff and the clock at the same orders at once: what is given is given once."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from house.after import bought, placed
from house.cart import HOME, Visitor, cart_of, check_out, make_ring, put_in, quantities
from house.goods import plain
from house.parallel import together
from house.people import PASSWORD, client_for, make_user, page_client
from house.shelf import figures, line_of, on_shelf, pay_for, stock_is_right
from house.till import books_are_right, deliver_and_settle, press
from markethall.flows import order_lapse
from markethall.flows.order_cancel import call_off
from markethall.flows.order_parcels import pack, unpack
from markethall.flows.refund_lines import RefundedLine
from markethall.flows.refunds import refund_order, retry
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.foundation.payments.models import Payment, Refund, SandboxCheckout
from markethall.kernel import clock
from markethall.kernel.errors import Problem
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.catalog.models import Product, ProductPrice, ProductStatus, Variant
from markethall.trade.inventory.actions import adjust, change_item
from markethall.trade.inventory.models import StockItem, StockReason
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.orders.pieces import pieces_of
from markethall.trade.shipping.models import Shipment, ShipmentLine
from markethall.trade.vouchers.actions import change_voucher, give_back
from markethall.trade.vouchers.models import Voucher, VoucherUse

pytestmark = pytest.mark.usefixtures("till")
Turn = Callable[[timedelta], None]
_HERE = {"X-Storefront": "elysium"}
_PAID = [OrderStatus.PAID, OrderStatus.REFUNDED]
_STAFF = uuid.uuid4()


def code(**fields: Any) -> Voucher:
    worth = {"kind": "percentage", "basis_points": 1000, **fields}
    return Voucher.objects.create(
        storefront="elysium", code="TENOFF", created_at=clock.now(), **worth
    )


def no_faults(results: list[Any]) -> None:
    """Whatever was refused was refused in our words."""
    assert [each for each in results if isinstance(each, Exception)
            and not isinstance(each, Problem)] == []  # fmt: skip


def refused(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Problem as problem:
        return problem.code


class TestCodes:
    @pytest.mark.django_db(transaction=True)
    def test_uses_add_up_while_orders_are_paid_left_called_off_and_given_back(self) -> None:
        ring, ten = make_ring(stock=None), code(max_uses=4, max_uses_each=1)
        people = [make_user() for _ in range(8)]

        def go(place: int) -> list[Any]:
            client, seen = client_for(people[place]), []
            put_in(client, ring)
            entered = client.post("/api/cart/voucher", {"code": "TENOFF"}, headers=_HERE)
            seen.append(entered.status_code)
            for turn in range(2):
                body = {"shippingAddress": HOME, "shippingMethod": "insured"}
                answer = client.post("/api/checkout", {**body, "note": str(turn)})
                seen.append(answer.status_code)
                if answer.status_code != 201:
                    continue
                started = answer.json()
                how = (place + turn) % 4
                if how == 0:
                    press(started)
                elif how == 1:
                    press(started, "abandoned")
                elif how == 2:
                    cancel = f"/api/orders/{started['orderId']}/cancel"
                    seen.append(client.post(cancel).status_code)
                deliver_and_settle()
            return seen

        results = together([lambda p=p: go(p) for p in range(8)])
        no_faults(results)
        assert {status for each in results for status in each} <= {
            200,  # 422: the cart is empty, since it is paid
            201,
            409,
            422,
        }
        deliver_and_settle()
        self._adds_up(ten)
        paid = [order for order in Order.objects.filter(status__in=_PAID) if order.discount]
        together([lambda o=o: refused(lambda: _all_back(o)) for o in paid for _ in range(2)])
        deliver_and_settle()
        used = VoucherUse.objects.count()
        self._adds_up(ten)
        assert used == VoucherUse.objects.count() >= len(paid), "what was paid has used its code"

    def _adds_up(self, ten: Voucher) -> None:
        ten.refresh_from_db()
        uses = list(VoucherUse.objects.values_list("reference", "email"))
        assert ten.used == len(uses) <= 4
        assert max(Counter(email for _, email in uses).values(), default=0) <= 1
        standing = Order.objects.exclude(status=OrderStatus.CANCELLED).filter(discount__gt=0)
        assert {reference for reference, _ in uses} == set(standing.values_list("pk", flat=True))
        assert books_are_right()

    @pytest.mark.django_db(transaction=True)
    def test_a_use_is_given_back_once_whoever_ends_the_order(self) -> None:
        ring, ten, ada = make_ring(), code(max_uses=3), make_user()
        for _ in range(2):  # two uses that stand, of others
            other = client_for(make_user())
            put_in(other, ring)
            other.post("/api/cart/voucher", {"code": "TENOFF"}, headers=_HERE)
            check_out(other)
        client = client_for(ada)
        put_in(client, ring)
        client.post("/api/cart/voucher", {"code": "TENOFF"}, headers=_HERE)
        started = check_out(client)
        order_id = uuid.UUID(started["orderId"])
        press(started, "abandoned")
        acts: list[Any] = [deliver_and_settle]
        acts += [lambda: refused(lambda: call_off(order_id=order_id, actor_id=ada.pk).status)] * 3
        acts += [lambda: give_back(order_id)] * 2
        acts += [lambda: client_for(ada).delete("/api/cart", headers=_HERE).status_code]
        no_faults(together(acts))
        ten.refresh_from_db()
        assert (ten.used, VoucherUse.objects.count()) == (2, 2)

    @pytest.mark.django_db
    def test_after_its_end_a_code_is_worth_what_was_agreed_on_and_no_more(
        self, turn_clock: Turn
    ) -> None:
        code(ends_at=clock.now() + timedelta(hours=1), max_uses=9)
        client = client_for(make_user())
        put_in(client, make_ring())
        client.post("/api/cart/voucher", {"code": "TENOFF"}, headers=_HERE)
        first = check_out(client)
        turn_clock(timedelta(hours=2))
        assert check_out(client, status=409)["code"] == "voucher_refused"
        second = check_out(client, seenTotal=150_000)
        assert Order.objects.get(pk=second["orderId"]).discount == 0
        assert Order.objects.get(pk=first["orderId"]).status == OrderStatus.CANCELLED
        press(first)
        deliver_and_settle()
        paid = Payment.objects.get(reference=first["orderId"])
        assert (paid.is_surplus, paid.refunded) == (True, paid.amount)
        assert Voucher.objects.get().used == 0

    @pytest.mark.django_db(transaction=True)
    def test_its_end_and_its_limit_hold_while_staff_change_it(self) -> None:
        ring, ten = make_ring(stock=None), code(max_uses=2)
        clients = [client_for(make_user()) for _ in range(6)]
        for client in clients:
            put_in(client, ring)
            client.post("/api/cart/voucher", {"code": "TENOFF"}, headers=_HERE)
        body = {"shippingAddress": HOME, "shippingMethod": "insured"}
        acts: list[Any] = [lambda c=c: c.post("/api/checkout", body).status_code for c in clients]
        staff = make_user(role=Role.ADMIN).pk
        change = {"voucher_id": ten.pk, "actor_id": staff}
        acts += [lambda n=n: refused(lambda: change_voucher(**change, max_uses=n).code)
                 for n in (1, 3, 2)]  # fmt: skip
        no_faults(together(acts))
        ten.refresh_from_db()
        assert ten.used == VoucherUse.objects.count() <= (ten.max_uses or 0)

    @pytest.mark.django_db
    def test_a_lapse_and_a_late_payment_leave_one_of_them(self, turn_clock: Turn) -> None:
        ten = code(max_uses=1)
        client = client_for(make_user())
        put_in(client, make_ring())
        client.post("/api/cart/voucher", {"code": "TENOFF"}, headers=_HERE)
        first = check_out(client)
        turn_clock(timedelta(days=2))
        order_lapse.lapse()
        ten.refresh_from_db()
        assert ten.used == 0
        second = check_out(client)
        order_lapse.lapse()
        ten.refresh_from_db()
        assert ten.used == 1
        assert VoucherUse.objects.get().reference == uuid.UUID(second["orderId"])
        assert Order.objects.get(pk=first["orderId"]).status == OrderStatus.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_parcels_refunds_by_line_and_the_buyers_cancel_at_once() -> None:
    variants = [on_shelf(20), on_shelf(20)]
    order = bought(None, *(line_of(each, 4) for each in variants), shipping=700)
    first, second = order.lines.order_by("pk").values_list("pk", flat=True)

    def put_back(line: uuid.UUID, number: int) -> Any:
        return refund_order(
            order_id=order.pk,
            amount=None,
            reason="Too large",
            actor_id=_STAFF,
            lines=[RefundedLine(line, number, restock=True)],
        ).pk

    def pack_some(wanted: dict[uuid.UUID, int]) -> Any:
        return pack(order_id=order.pk, actor_id=_STAFF, wanted=wanted).pk

    def pack_and_undo() -> Any:
        return unpack(parcel_id=pack_some({second: 1}), actor_id=_STAFF).pk

    acts: list[Callable[[], Any]] = [
        lambda: put_back(first, 2),
        lambda: put_back(first, 3),
        lambda: put_back(second, 1),
        lambda: pack_some({first: 2, second: 1}),
        lambda: pack_some({first: 2}),
        pack_and_undo,
        lambda: call_off(order_id=order.pk, actor_id=None).pk,
        lambda: refund_order(order_id=order.pk, amount=300, reason="Sorry", actor_id=_STAFF).pk,
    ]
    no_faults(together([lambda a=a: refused(a) for a in acts]))
    deliver_and_settle()
    order.refresh_from_db()
    there = pieces_of(order.lines.all())
    for variant, line in zip(variants, order.lines.order_by("pk"), strict=True):
        now = there[line.pk]
        assert now.refunded <= now.bought and now.packed <= now.kept
        assert figures(variant) == (16 + now.refunded, 0)
    paid = Payment.objects.get(pk=order.payment_id)
    assert order.refunded == paid.refunded <= order.total
    if not any(each.kept for each in there.values()):
        assert order.status == OrderStatus.REFUNDED
        assert not ShipmentLine.objects.exists()
    elif all(not each.to_pack for each in there.values()):
        assert order.status == OrderStatus.FULFILLED
    else:
        assert order.status == OrderStatus.PAID
    assert stock_is_right(*variants)
    assert books_are_right()


@pytest.mark.django_db
def test_nobody_is_told_that_money_goes_back_which_the_gateway_refuses() -> None:
    ada, variant = make_user(), on_shelf(5)
    order = bought(ada, line_of(variant, 2))
    SandboxCheckout.objects.update(payment_method=counter.CARD_NO_REFUNDS)
    browser = page_client(ada)
    for _ in range(2):
        answer = browser.post(f"/orders/{order.pk}/cancel")
        assert answer.status_code == 409
        assert "could not be given back" in answer.content.decode()
    order.refresh_from_db()
    assert (order.status, order.refunded, figures(variant)) == (OrderStatus.PAID, 0, (3, 0))
    SandboxCheckout.objects.update(payment_method=counter.CARD_OK)
    retry(refund_id=Refund.objects.get().pk, actor_id=_STAFF)
    deliver_and_settle()
    order.refresh_from_db()
    assert (order.status, figures(variant)) == (OrderStatus.REFUNDED, (5, 0))


class TestBetweenReservationAndPayment:
    @pytest.mark.django_db
    def test_what_is_reserved_cannot_be_written_off_and_what_lapsed_can(
        self, turn_clock: Turn
    ) -> None:
        variant, staff = on_shelf(3), make_user(role=Role.ADMIN).pk
        order = placed(None, line_of(variant, 2))
        lost = {"variant_id": variant.pk, "reason": StockReason.DAMAGED, "actor_id": staff}
        started = pay_for(order)
        assert refused(lambda: adjust(**lost, level=1)) == "stock_reserved"
        assert refused(lambda: adjust(**lost, change=-2)) == "stock_reserved"
        adjust(**lost, change=-1)
        turn_clock(timedelta(hours=1))
        adjust(**lost, level=1)
        press(started)
        deliver_and_settle()
        order.refresh_from_db()
        paid = Payment.objects.get(reference=order.pk)
        assert order.status == OrderStatus.CANCELLED
        assert (paid.is_surplus, paid.refunded) == (True, paid.amount)
        assert figures(variant) == (1, 0)
        assert Mail.objects.filter(to=order.email, template="sold_out").count() == 1
        assert books_are_right()

    @pytest.mark.django_db
    def test_what_is_no_longer_sold_or_dearer_is_had_as_it_was_ordered(self) -> None:
        variant = on_shelf(3)
        order = placed(None, line_of(variant, 2))
        started = pay_for(order)
        Product.objects.update(status=ProductStatus.ARCHIVED)
        Variant.objects.update(is_active=False)
        ProductPrice.objects.update(amount=9_999)
        press(started)
        deliver_and_settle()
        was = order.total
        order.refresh_from_db()
        assert (order.status, order.total) == (OrderStatus.PAID, was)
        assert Payment.objects.get(reference=order.pk).amount == was
        assert figures(variant) == (1, 0)

    @pytest.mark.django_db(transaction=True)
    def test_at_the_very_moment_it_is_paid(self) -> None:
        staff = make_user(role=Role.ADMIN).pk
        variants = [on_shelf(2) for _ in range(6)]
        orders = [placed(None, line_of(variant, 2)) for variant in variants]
        for order in orders:
            press(pay_for(order))

        def meddle(variant: Variant) -> list[Any]:
            said = []
            for is_counted in (False, True):
                for level in (0, 5):
                    said.append(refused(lambda n=level: adjust(
                        variant_id=variant.pk, level=n, reason=StockReason.COUNTED, actor_id=staff
                    ).pk))  # fmt: skip
                said.append(refused(lambda c=is_counted: change_item(
                    variant_id=variant.pk, is_counted=c, actor_id=staff
                ).pk))  # fmt: skip
            return said

        acts: list[Any] = [lambda v=v: meddle(v) for v in variants]
        no_faults(together([deliver_and_settle, *acts, deliver_and_settle]))
        deliver_and_settle()
        for order in orders:
            order.refresh_from_db()
            paid = Payment.objects.get(reference=order.pk)
            if order.status == OrderStatus.PAID:
                assert (paid.is_surplus, paid.refunded) == (False, 0)
            else:
                assert order.status == OrderStatus.CANCELLED
                assert (paid.is_surplus, paid.refunded) == (True, paid.amount)
        assert not StockItem.objects.exclude(reserved=0).exists()
        assert stock_is_right(*variants)
        assert books_are_right()


class TestTwoOfTheStaff:
    @pytest.mark.django_db(transaction=True)
    def test_pack_and_send_the_same_orders_at_once(self) -> None:
        orders = [bought(None, line_of(on_shelf(9), 2)) for _ in range(5)]
        ids = [str(order.pk) for order in orders]
        browsers = [page_client(make_user(role=Role.LOGISTICS)) for _ in range(3)]

        def all_of(act: str, place: int) -> int:
            chosen = ids if place % 2 else ids[::-1]
            return (
                browsers[place]
                .post("/console/orders/bulk", {"act": act, "order": chosen})
                .status_code
            )

        for act, status in (("pack", "FULFILLED"), ("ship", "SHIPPED"), ("deliver", "DELIVERED")):
            assert together([lambda n=n, a=act: all_of(a, n) for n in range(3)]) == [302] * 3
            assert set(Order.objects.values_list("status", flat=True)) == {status}
        assert Shipment.objects.count() == len(orders)
        for template in ("order_packed", "order_shipped", "order_delivered"):
            assert Mail.objects.filter(template=template).count() == len(orders)

    @pytest.mark.django_db(transaction=True)
    def test_change_the_same_prices_at_once(self) -> None:
        products = [plain("one", 10_000), plain("two", 20_000)]
        browsers = [page_client(make_user(role=Role.ADMIN)) for _ in range(3)]
        pages = [browser.get("/console/products").content.decode() for browser in browsers]
        seen = [page.split('name="seen_at" value="')[1].split('"')[0] for page in pages]

        def dearer(place: int) -> int:
            sent = {"act": "price", "percent": "10", "seen_at": seen[place]}
            chosen = [str(each.pk) for each in products]
            return (
                browsers[place]
                .post("/console/products/bulk", {**sent, "product": chosen})
                .status_code
            )

        assert sorted(together([lambda n=n: dearer(n) for n in range(3)])) == [302, 409, 409]
        prices = ProductPrice.objects.order_by("amount").values_list("amount", flat=True)
        assert list(prices) == [11_000, 22_000]

    @pytest.mark.django_db
    def test_a_program_that_tries_again_changes_prices_once(self) -> None:
        client, ring = client_for(make_user(role=Role.ADMIN)), plain("one", 10_000)
        body = {"ids": [str(ring.pk)], "action": "price", "percent": 10}
        for key, price in (("a", 11_000), ("a", 11_000), ("b", 12_100)):
            answer = client.post("/api/products/bulk", body, headers={"Idempotency-Key": key})
            assert (answer.status_code, answer.json()) == (200, {"changed": 1})
            assert ProductPrice.objects.get().amount == price

    @pytest.mark.django_db(transaction=True)
    def test_a_form_that_is_sent_twice_acts_once(self) -> None:
        variant, boss = on_shelf(10), make_user(role=Role.ADMIN)
        browser = page_client(boss)
        key = {"key": "a-form"}
        change = {**key, "change": "-2", "reason": "damaged"}
        received = {**key, "list": f"{variant.sku} 5"}
        made = {**key, "storefront": "elysium", "kind": "free_shipping", "count": "2"}
        forms = {
            f"/console/stock/{variant.pk}/adjust": change,
            "/console/stock/receive": received,
            "/console/vouchers/many": made,
        }
        for place, sent in forms.items():

            def send(place: str = place, sent: dict[str, str] = sent) -> int:
                return page_client(boss).post(place, sent).status_code

            answers = together([send] * 3)
            no_faults(answers)
            assert [each for each in answers if each == 302] == [302], answers
            assert {each for each in answers if each != 302} <= {409, 422}
        assert figures(variant) == (13, 0)
        assert Voucher.objects.count() == 2
        assert browser.post(f"/console/stock/{variant.pk}/adjust", {**change, "key": "b"}
                            ).status_code == 302  # fmt: skip
        assert figures(variant) == (11, 0)


class TestOneBagInTwoBrowsers:
    @pytest.mark.django_db(transaction=True)
    def test_joins_once_when_both_sign_in_at_once(self) -> None:
        ring, ada = make_ring(), make_user()
        put_in(client_for(ada), ring, 1)
        guest = Visitor()
        put_in(guest, ring, 2)
        put_in(guest, ring, 1, metal="silver")
        sent = {"email": ada.email, "password": PASSWORD}

        def sign_in() -> int:
            browser = Client()
            browser.cookies["visitor"] = guest.secret
            return browser.post("/login", sent).status_code

        assert together([sign_in] * 4) == [302] * 4
        assert quantities(cart_of(client_for(ada))) == [3, 1]
        assert Cart.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_is_one_persons_when_two_people_sign_in_at_once(self) -> None:
        ring, people = make_ring(), [make_user() for _ in range(4)]
        guest = Visitor()
        put_in(guest, ring, 2)

        def sign_in(place: int) -> int:
            browser = Client()
            browser.cookies["visitor"] = guest.secret
            sent = {"email": people[place].email, "password": PASSWORD}
            return browser.post("/login", sent).status_code

        def put_more() -> int:
            body = {"productId": str(ring.pk), "configuration": {"metal": "silver"}}
            other = Visitor()
            other.secret = guest.secret
            return other.post("/api/cart", body).status_code

        acts: list[Any] = [lambda n=n: sign_in(n) for n in range(4)]
        no_faults(together([*acts, put_more]))
        gold = CartLine.objects.filter(variant__sku="AURORE-GOLD")
        assert [line.quantity for line in gold] == [2]
        assert CartLine.objects.filter(variant__sku="AURORE-SILVER").count() == 1


def _all_back(order: Order) -> Any:
    return refund_order(order_id=order.pk, amount=None, reason="Sorry", actor_id=_STAFF).pk
