"""Orders that nobody pays: they end after a day, and let go of what they kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.cart import Visitor, check_out, make_ring, put_in
from house.jobs import run_jobs
from house.people import client_for, make_user
from house.till import books_are_right, deliver_and_settle, press
from markethall.flows.checkout import OPEN_FOR
from markethall.flows.order_lapse import UNPAID_FOR, UNPAID_REASON
from markethall.flows.settlement import SURPLUS_REASON
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.errors import GatewayRefused
from markethall.foundation.payments.gateways.base import ChargeState, ChargeTruth
from markethall.foundation.payments.gateways.sandbox import outage
from markethall.foundation.payments.gateways.sandbox.gateway import SandboxGateway
from markethall.foundation.payments.models import Payment, Refund
from markethall.kernel import clock
from markethall.kernel.jobs import enqueue_once
from markethall.trade.inventory.models import StockItem
from markethall.trade.orders.models import Order
from markethall.trade.vouchers.models import Voucher, VoucherUse

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db(transaction=True)]
Turn = Callable[[timedelta], None]


@pytest.fixture
def guest(till: None) -> Visitor:
    """Somebody without an account, with a ring in the cart and the only use of a code."""
    Voucher.objects.create(
        storefront="elysium",
        code="TENOFF",
        kind="percentage",
        basis_points=1000,
        max_uses=1,
        created_at=clock.now(),
    )
    visitor = Visitor()
    put_in(visitor, make_ring())
    visitor.post("/api/cart/voucher", {"code": "TENOFF"})
    return visitor


def order(visitor: Visitor, **changes: Any) -> dict[str, Any]:
    return check_out(visitor, email="guest@example.com", **changes)


def state() -> tuple[str, int, int, int]:
    """(status of the order, uses of the code, its counter, pieces reserved)."""
    reserved = sum(StockItem.objects.values_list("reserved", flat=True))
    used = Voucher.objects.values_list("used", flat=True).get()
    return Order.objects.get().status, VoucherUse.objects.count(), used, reserved


def round_of_jobs() -> None:
    enqueue_once("lapse_orders", timestamp=0)
    run_jobs(["default"])


GONE = ("CANCELLED", 0, 0, 0)


def test_a_payment_page_is_over_before_its_order_lapses() -> None:
    assert OPEN_FOR < UNPAID_FOR


def test_what_is_declined_and_left_ends_after_a_day(guest: Visitor, turn_clock: Turn) -> None:
    press(order(guest), "declined")
    deliver_and_settle()
    turn_clock(UNPAID_FOR - timedelta(minutes=1))
    round_of_jobs()
    assert state()[:3] == ("PAYMENT_FAILED", 1, 1)
    turn_clock(timedelta(minutes=2))
    round_of_jobs()
    round_of_jobs()
    assert state() == GONE
    assert Order.objects.get().moves.filter(to_status="CANCELLED").count() == 1
    run_jobs()
    assert Mail.objects.filter(template="order_cancelled").count() == 1
    other = client_for(make_user())
    put_in(other, make_ring("nova"))
    answer = other.post("/api/cart/voucher", {"code": "TENOFF"})
    assert answer.json()["voucher"]["reason"] == "", "the code is free for others"


def test_what_the_gateway_refused_ends_after_a_day(
    guest: Visitor, turn_clock: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise GatewayRefused("No such currency.")

    with monkeypatch.context() as patched:
        patched.setattr(SandboxGateway, "create_checkout", refuse)
        order(guest, status=409)
    assert state() == ("PENDING", 1, 1, 1)
    turn_clock(UNPAID_FOR)
    round_of_jobs()
    assert state() == GONE
    assert Order.objects.get().moves.order_by("pk").last().note == UNPAID_REASON


def test_whoever_tries_again_has_another_day(guest: Visitor, turn_clock: Turn) -> None:
    press(order(guest), "declined")
    deliver_and_settle()
    turn_clock(UNPAID_FOR - timedelta(hours=1))
    press(order(guest), "declined")
    deliver_and_settle()
    assert Payment.objects.count() == 2
    turn_clock(timedelta(hours=2))
    round_of_jobs()
    assert state()[:3] == ("PAYMENT_FAILED", 1, 1)
    turn_clock(UNPAID_FOR)
    round_of_jobs()
    assert state() == GONE


def test_money_that_comes_later_goes_back(
    guest: Visitor, turn_clock: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A gateway that closes no page before its time.
    monkeypatch.setattr(SandboxGateway, "close", SandboxGateway.fetch_payment)
    started = order(guest)
    press(started, "declined")
    deliver_and_settle()
    turn_clock(UNPAID_FOR)
    round_of_jobs()
    assert state() == GONE
    press(started, "paid")
    deliver_and_settle()
    run_jobs(["default"])
    assert state() == GONE
    refund = Refund.objects.get()
    paid = Payment.objects.get()
    assert (refund.amount, refund.reason, refund.status) == (
        paid.amount,
        SURPLUS_REASON,
        "succeeded",
    )
    assert books_are_right()


def test_what_was_paid_unheard_is_paid(guest: Visitor, turn_clock: Turn) -> None:
    started = order(guest)
    press(started, "declined")
    deliver_and_settle()
    outage.begin(timedelta(hours=1))
    press(started, "paid")
    turn_clock(UNPAID_FOR)
    round_of_jobs()
    assert state()[:3] == ("PAID", 1, 1)


def test_what_is_under_way_at_the_gateway_stays(
    guest: Visitor, turn_clock: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def under_way(_: Any, ref: str) -> ChargeTruth:
        return ChargeTruth(ref, ChargeState.PROCESSING, Payment.objects.get().money)

    press(order(guest), "declined")
    deliver_and_settle()
    turn_clock(UNPAID_FOR)
    with monkeypatch.context() as patched:
        patched.setattr(SandboxGateway, "close", under_way)
        round_of_jobs()
        turn_clock(UNPAID_FOR)
        round_of_jobs()
    assert state()[:3] == ("PROCESSING", 1, 1)


def test_a_gateway_that_does_not_answer_ends_nothing(guest: Visitor, turn_clock: Turn) -> None:
    press(order(guest), "declined")
    deliver_and_settle()
    turn_clock(UNPAID_FOR)
    outage.begin(timedelta(hours=1))
    round_of_jobs()
    assert state()[:3] == ("PAYMENT_FAILED", 1, 1)
    turn_clock(timedelta(hours=2))
    round_of_jobs()
    assert state() == GONE
