from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.parallel import together
from house.people import client_for, make_user
from house.till import books_are_right, checkout, post_event, press, told, waiting_jobs
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments import inbox
from markethall.foundation.payments.models import InboxEvent, InboxStatus, Payment, Refund
from markethall.trade.orders.models import Order, OrderLine

pytestmark = pytest.mark.usefixtures("till")


def pay_for(count: int) -> list[tuple[User, dict[str, Any]]]:
    """So many customers pay for a pack each; the gateway's events lie in the inbox, unsettled."""
    bought = []
    for _ in range(count):
        user = make_user()
        started = checkout(client_for(user))
        press(started)
        bought.append((user, started))
    for event in told():
        assert post_event(event).status_code == 200
    return bought


def status_of(started: dict[str, Any]) -> str:
    return Order.objects.get(pk=started["orderId"]).status


def moves_of(started: dict[str, Any]) -> list[str]:
    order = Order.objects.get(pk=started["orderId"])
    return list(order.moves.order_by("pk").values_list("to_status", flat=True))


@pytest.mark.django_db
class TestTogether:
    def test_each_payment_of_a_batch_pays_books_and_grants_once(self) -> None:
        bought = pay_for(5)
        assert settle_inbox() == 5
        for user, started in bought:
            assert moves_of(started) == ["PENDING", "PAID", "FULFILLED"]
            assert balance_of(user.pk).balance == 60
            assert str(Order.objects.get(pk=started["orderId"]).payment_id) == started["paymentId"]
        ended = set(InboxEvent.objects.values_list("status", "outcome"))
        assert ended == {("settled", f"Order {order.number} is paid.") for order in _orders()}
        receipts = {job["order_id"] for job in waiting_jobs("issue_receipt")}
        assert receipts == {started["orderId"] for _, started in bought}
        assert books_are_right()

    def test_more_events_need_no_more_statements(self) -> None:
        counts = []
        for number in (2, 8):
            pay_for(number)
            with CaptureQueriesContext(connection) as seen:
                settle_inbox()
            counts.append(len(seen))
        assert counts[0] == counts[1]

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_log_line_names_payment_and_order(
        self, caplog: pytest.LogCaptureFixture, count: int
    ) -> None:
        bought = pay_for(count)
        with caplog.at_level("INFO", logger="markethall.flows"):
            settle_inbox()
        lines: list[Any] = [record.msg for record in caplog.records]
        named = {(line["payment_id"], line["order_id"]) for line in lines}
        assert named == {(started["paymentId"], started["orderId"]) for _, started in bought}

    def test_one_customer_s_packs_add_up(self) -> None:
        user = make_user()
        for _ in range(3):
            press(checkout(client_for(user)))
        for event in told():
            post_event(event)
        settle_inbox()
        assert balance_of(user.pk).balance == 160
        assert books_are_right()

    def test_one_that_breaks_does_not_hold_up_the_others(self) -> None:
        bought = pay_for(4)
        (broken_user, broken), *others = bought
        OrderLine.objects.filter(order_id=broken["orderId"]).update(kind="nothing")
        settle_inbox()
        assert [status_of(started) for _, started in others] == ["FULFILLED"] * 3
        assert status_of(broken) == "PENDING"
        assert balance_of(broken_user.pk).balance == 10
        left = InboxEvent.objects.get(status=InboxStatus.RECEIVED)
        assert "nothing" in left.outcome
        assert Payment.objects.get(pk=broken["paymentId"]).status == "pending"
        assert books_are_right()

    def test_another_amount_is_parked_in_the_midst_of_others(self) -> None:
        bought = [checkout(client_for(make_user())) for _ in range(3)]
        for started in bought:
            press(started)
        events = told()
        events[1]["data"]["amount"] = 1
        for event in events:
            post_event(event)
        settle_inbox()
        assert [status_of(started) for started in bought] == ["FULFILLED", "PENDING", "FULFILLED"]
        parked = InboxEvent.objects.get(event_id=events[1]["id"])
        assert parked.status == InboxStatus.PARKED

    def test_a_second_payment_of_an_order_in_one_batch_goes_back(self) -> None:
        user = make_user()
        client = client_for(user)
        first = checkout(client)
        press(first, "declined")
        for event in told():
            post_event(event)
        settle_inbox()
        again = {"orderId": first["orderId"]}
        second = client.post("/api/payments/create-checkout", again).json()
        press(first, "paid")
        press(second, "paid")
        for event in told():
            post_event(event)
        settle_inbox()
        assert balance_of(user.pk).balance == 60
        surplus = Payment.objects.get(is_surplus=True)
        assert Refund.objects.get().payment_id == surplus.pk
        assert set(InboxEvent.objects.values_list("status", flat=True)) == {"settled"}

    def test_a_worker_that_dies_leaves_nothing_half_done(
        self, monkeypatch: pytest.MonkeyPatch, turn_clock: Callable[[timedelta], None]
    ) -> None:
        bought = pay_for(3)

        def die(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(inbox, "conclude", die)
            with pytest.raises(KeyboardInterrupt):
                settle_inbox()
        assert [status_of(started) for _, started in bought] == ["PENDING"] * 3
        assert settle_inbox() == 0
        turn_clock(inbox.LEASE)
        assert settle_inbox() == 3
        assert [balance_of(user.pk).balance for user, _ in bought] == [60] * 3
        assert books_are_right()


@pytest.mark.django_db(transaction=True)
def test_many_workers_and_a_hundred_deliveries_settle_each_once(transactional_db: None) -> None:
    bought = [(user := make_user(), checkout(client_for(user))) for _ in range(10)]
    for _, started in bought:
        press(started, deliveries=10, shuffle=True)
    events = told()
    acts: list[Callable[[], Any]] = [
        lambda part=events[n::8]: [post_event(event).status_code for event in part]
        for n in range(8)
    ]
    assert not [r for r in together([*acts, *[settle_inbox] * 4]) if isinstance(r, Exception)]
    assert not [r for r in together([settle_inbox] * 4) if isinstance(r, Exception)]
    for user, started in bought:
        assert moves_of(started) == ["PENDING", "PAID", "FULFILLED"]
        assert balance_of(user.pk).balance == 60
    assert not InboxEvent.objects.filter(status=InboxStatus.RECEIVED).exists()
    assert len(waiting_jobs("issue_receipt")) == 10
    assert books_are_right()


def _orders() -> list[Order]:
    return list(Order.objects.all())
