from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.jobs import run_jobs
from house.parallel import together
from house.people import make_user
from house.shelf import (
    figures,
    item_of,
    line_of,
    on_shelf,
    order_of,
    pay_for,
    stock_is_right,
)
from house.till import books_are_right, deliver_and_settle, post_event, press, told, waiting_jobs
from markethall.flows.checkout import cancel_order
from markethall.flows.mismatches import accept
from markethall.flows.settlement import SOLD_OUT_REASON, settle_free
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.models import Transaction
from markethall.foundation.ledger.queries import balance_of, system_balance
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.errors import NothingToDecide
from markethall.foundation.payments.models import Payment, Refund, RefundStatus, SandboxCheckout
from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind, Variant
from markethall.trade.inventory.errors import OutOfStock
from markethall.trade.inventory.models import Reservation, StockMove
from markethall.trade.orders.errors import OrderNotPayable
from markethall.trade.orders.models import Order
from markethall.trade.orders.rules import PricedLine

pytestmark = pytest.mark.usefixtures("till")
Turn = Callable[[timedelta], None]
LAPSE = timedelta(minutes=31)


def status_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def moves(order: Order) -> list[str]:
    return list(order.moves.order_by("pk").values_list("to_status", flat=True))


def wanting(variant: Variant, quantity: int = 1, customer: User | None = None) -> Order:
    return order_of(customer or make_user(), line_of(variant, quantity))


@pytest.mark.django_db
class TestPaid:
    def test_pieces_leave_the_stock_and_the_order_waits_to_be_packed(self) -> None:
        ring = on_shelf(5)
        order = wanting(ring, 2)
        assert figures(ring) == (5, 2)
        press(pay_for(order))
        deliver_and_settle()
        assert moves(order) == ["PENDING", "PAID"]
        assert figures(ring) == (3, 0)
        assert StockMove.objects.get(reason="sold").reference == order.pk
        assert system_balance(accounts.sales("elysium", "USD")) == -10_000
        assert stock_is_right()
        assert books_are_right()

    def test_a_guest_s_order_too(self) -> None:
        ring = on_shelf(1)
        order = order_of(None, line_of(ring))
        press(pay_for(order))
        deliver_and_settle()
        assert (status_of(order), figures(ring)) == ("PAID", (0, 0))

    def test_credits_in_the_same_order_are_given_at_once(self) -> None:
        ring, user = on_shelf(1), make_user(credits=0)
        pack = PricedLine(
            LineKind.CREDITS, "credits-50", "50 credits", 1, Money(499, "USD"), {"credits": 50}
        )
        order = order_of(user, line_of(ring), pack)
        press(pay_for(order))
        deliver_and_settle()
        assert moves(order) == ["PENDING", "PAID"]
        assert balance_of(user.pk).balance == 50
        assert figures(ring) == (0, 0)
        assert books_are_right()

    def test_of_what_costs_nothing_no_gateway_is_asked(self) -> None:
        ring, user = on_shelf(1), make_user()
        line = line_of(ring)
        free = PricedLine(line.kind, line.item, line.name, 1, line.unit, line.data, discount=5_000)
        order = order_of(user, free)
        assert settle_free(order.pk).status == "PAID"
        settle_free(order.pk)
        assert figures(ring) == (0, 0)
        assert not Payment.objects.exists()
        late = order_of(user, free, reserved=False)
        with pytest.raises(OutOfStock):
            settle_free(late.pk)
        with pytest.raises(OrderNotPayable):
            settle_free(order_of(user, line_of(on_shelf(1))).pk)


@pytest.mark.django_db
class TestLate:
    def test_who_pays_late_gets_what_is_there_still(self, turn_clock: Turn) -> None:
        ring = on_shelf(1)
        order = wanting(ring)
        started = pay_for(order)
        turn_clock(LAPSE)
        press(started)
        deliver_and_settle()
        assert (status_of(order), figures(ring)) == ("PAID", (0, 0))

    @pytest.mark.parametrize("together_with", [0, 3])
    def test_what_is_sold_out_is_cancelled_and_paid_back(
        self, turn_clock: Turn, together_with: int
    ) -> None:
        ring, other = on_shelf(1), on_shelf(10)
        late = wanting(ring)
        started = pay_for(late)
        turn_clock(LAPSE)
        quick = wanting(ring)
        press(pay_for(quick))
        deliver_and_settle()
        others = [wanting(other) for _ in range(together_with)]
        for order in others:
            press(pay_for(order))
        press(started)
        deliver_and_settle()
        assert moves(late) == ["PENDING", "CANCELLED"]
        assert late.moves.get(to_status="CANCELLED").note == SOLD_OUT_REASON
        assert [status_of(order) for order in [quick, *others]] == ["PAID"] * (1 + together_with)
        refund = Refund.objects.get()
        assert (refund.amount, refund.reason) == (5_000, SOLD_OUT_REASON)
        assert waiting_jobs("send_refund") == [{"refund_id": str(refund.pk)}]
        assert figures(ring) == (0, 0)
        assert system_balance(accounts.sales("elysium", "USD")) == -5_000 * (1 + together_with)
        mail = Mail.objects.get(template="sold_out")
        assert mail.to == late.email
        assert "$50.00" in mail.text
        assert stock_is_right()
        assert books_are_right()

    def test_part_of_an_order_is_no_order(self, turn_clock: Turn) -> None:
        ring, chain = on_shelf(1), on_shelf(5)
        late = order_of(make_user(), line_of(ring), line_of(chain, 2))
        started = pay_for(late)
        turn_clock(LAPSE)
        quick = wanting(ring)
        press(started)
        deliver_and_settle()
        assert status_of(late) == "CANCELLED"
        assert (figures(ring), figures(chain)) == ((1, 1), (5, 0))
        press(pay_for(quick))
        deliver_and_settle()
        assert status_of(quick) == "PAID"

    def test_another_payment_that_was_opened_is_closed(self, turn_clock: Turn) -> None:
        ring = on_shelf(1)
        late = wanting(ring)
        first = pay_for(late)
        press(first, "declined")
        deliver_and_settle()
        second = pay_for(late)
        turn_clock(LAPSE)
        press(pay_for(wanting(ring)))
        deliver_and_settle()
        press(first, "paid")
        deliver_and_settle()
        closing = {job["payment_id"] for job in waiting_jobs("close_payment")}
        assert closing == {second["paymentId"]}

    def test_money_of_another_amount_is_not_accepted_for_what_is_gone(
        self, turn_clock: Turn
    ) -> None:
        ring = on_shelf(1)
        late = wanting(ring)
        started = pay_for(late)
        turn_clock(LAPSE)
        press(pay_for(wanting(ring)))
        deliver_and_settle()
        press(started)
        SandboxCheckout.objects.filter(pk=started["checkoutUrl"].rsplit("/", 1)[-1]).update(
            amount=6_000
        )
        with pytest.raises(NothingToDecide, match="sold out"):
            accept(
                payment_id=Payment.objects.get(pk=started["paymentId"]).pk,
                actor_id=make_user(role="admin").pk,
            )
        assert status_of(late) == "PENDING"


@pytest.mark.django_db
class TestLettingGo:
    def test_a_declined_payment_keeps_the_pieces_until_they_lapse(self, turn_clock: Turn) -> None:
        ring = on_shelf(1)
        order = wanting(ring)
        press(pay_for(order), "declined")
        deliver_and_settle()
        assert (status_of(order), figures(ring)) == ("PAYMENT_FAILED", (1, 1))
        turn_clock(LAPSE)
        pay_for(order)
        with pytest.raises(OutOfStock):
            wanting(ring)

    def test_trying_again_when_others_have_them_is_refused(self, turn_clock: Turn) -> None:
        ring = on_shelf(1)
        order = wanting(ring)
        press(pay_for(order), "declined")
        deliver_and_settle()
        turn_clock(LAPSE)
        wanting(ring)
        with pytest.raises(OutOfStock):
            pay_for(order)

    def test_a_cancelled_order_keeps_nothing(self) -> None:
        ring = on_shelf(1)
        order = wanting(ring)
        cancel_order(order_id=order.pk, actor_id=order.customer_id)
        assert figures(ring) == (1, 0)
        assert Reservation.objects.get().state == "released"

    def test_nor_one_whose_payment_was_left(self) -> None:
        ring = on_shelf(1)
        order = wanting(ring)
        press(pay_for(order), "abandoned")
        deliver_and_settle()
        assert (status_of(order), figures(ring)) == ("CANCELLED", (1, 0))


@pytest.mark.django_db
def test_more_orders_of_goods_need_no_more_statements() -> None:
    ring, chain = on_shelf(50), on_shelf(50)
    counts = []
    for number in (2, 7):
        for _ in range(number):
            press(pay_for(order_of(make_user(), line_of(ring), line_of(chain, 2))))
        for event in told():
            post_event(event)
        with CaptureQueriesContext(connection) as seen:
            assert settle_inbox() == number
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert (figures(ring), figures(chain)) == ((41, 0), (32, 0))


@pytest.mark.django_db(transaction=True)
def test_a_hundred_deliveries_pay_one_order_of_goods_once(transactional_db: None) -> None:
    """R1 for goods."""
    ring = on_shelf(5)
    order = wanting(ring, 2)
    press(pay_for(order), deliveries=100, shuffle=True)
    events = told()
    acts: list[Callable[[], Any]] = [
        lambda part=events[n::8]: [post_event(event).status_code for event in part]
        for n in range(8)
    ]
    for results in (together([*acts, *[settle_inbox] * 4]), together([settle_inbox] * 2)):
        assert not [result for result in results if isinstance(result, Exception)]
    assert len(events) >= 100
    assert moves(order) == ["PENDING", "PAID"]
    assert item_of(ring).on_hand == 3
    assert StockMove.objects.filter(reason="sold").count() == 1
    assert Transaction.objects.filter(kind="payment").count() == 1
    assert stock_is_right()
    assert books_are_right()


@pytest.mark.django_db(transaction=True)
def test_the_money_of_who_came_too_late_goes_back_by_itself(
    transactional_db: None, turn_clock: Turn
) -> None:
    ring = on_shelf(1)
    late = wanting(ring)
    started = pay_for(late)
    turn_clock(LAPSE)
    press(pay_for(wanting(ring)))
    run_jobs()
    press(started)
    run_jobs()
    run_jobs()
    refund = Refund.objects.get()
    assert refund.status == RefundStatus.SUCCEEDED
    assert status_of(late) == "CANCELLED"
    told = Mail.objects.filter(to=late.email).order_by("pk")
    assert [mail.template for mail in told] == ["order_received", "sold_out"]
    assert system_balance(accounts.owed("USD")) == 0
    assert books_are_right()
