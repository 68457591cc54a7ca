"""What must hold of every gateway: paid once however it is told (R1), right in the end when
nothing is told (R5), nothing believed that it did not sign (R10)."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.gates import Fault, Gate, Told, old
from house.parallel import together
from house.people import client_for, make_user, page_client
from house.till import books_are_right, checkout
from markethall.flows import comparison, reconciliation
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger.models import Entry, Transaction
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.models import (
    Chargeback,
    InboxEvent,
    InboxStatus,
    Payment,
    Refund,
)
from markethall.trade.orders.models import Order

pytestmark = pytest.mark.usefixtures("till")
HOUR = timedelta(hours=1)
SEEDS = range(2)


def start(user: User) -> tuple[Order, Payment]:
    started = checkout(client_for(user))
    return Order.objects.get(pk=started["orderId"]), Payment.objects.get(pk=started["paymentId"])


def entries_of(order: Order) -> dict[tuple[str, str, bool], int]:
    """What the books have of an order, added up: of two partial refunds, the second takes back
    what is left, so their single entries depend on which came first."""
    sums: Counter[tuple[str, str, bool]] = Counter()
    found = Entry.objects.filter(transaction__reference=f"order:{order.pk}")
    for kind, unit, amount in found.values_list("transaction__kind", "account__unit", "amount"):
        sums[kind, unit, amount > 0] += amount
    return dict(sums)


def state_of(user: User, order: Order) -> dict[str, Any]:
    order.refresh_from_db()
    backs = Refund.objects.filter(payment__reference=order.pk).values_list("amount", "status")
    return {
        "order": (order.status, order.refunded),
        "moves": list(order.moves.order_by("pk").values_list("to_status", flat=True)),
        "refunds": sorted(backs),
        "chargebacks": [
            (one.status, one.amount, one.withdrawn)
            for one in Chargeback.objects.filter(payment__reference=order.pk)
        ],
        "credits": balance_of(user.pk).balance,
        "entries": entries_of(order),
    }


def settle_all(turn_clock: Callable[[timedelta], None]) -> None:
    """Settle until nothing waits, what has to wait for something else too."""
    for _ in range(10):
        settle_inbox()
        if not InboxEvent.objects.filter(status=InboxStatus.RECEIVED).exists():
            return
        turn_clock(timedelta(minutes=10))
    raise AssertionError(list(InboxEvent.objects.values_list("type", "status", "outcome")))


@pytest.mark.django_db(transaction=True)
def test_a_hundred_deliveries_and_the_browser_at_once_pay_one_order(gate: Gate) -> None:
    """R1."""
    user = make_user()
    order, payment = start(user)
    told = gate.pay(payment)
    late, *early = told[::-1]  # the last event comes after all is done, too
    waiting = deque(random.Random(7).sample([*early, late] * 100, 100))
    browser, failed = page_client(user), []

    def deliver() -> None:
        while waiting:
            try:
                one = waiting.popleft()
            except IndexError:
                return
            answer = gate.send(one)
            if answer.status_code != 200:
                failed.append(answer)

    def come_back() -> None:
        for _ in range(3):
            assert browser.get(f"/orders/{order.pk}/return").status_code == 200
            reconciliation.look(payment.pk)

    results = together([*[deliver] * 8, *[settle_inbox] * 3, come_back])
    assert not [one for one in results if isinstance(one, Exception)] and not failed
    settle_inbox()
    for _ in range(2):
        assert gate.send(late).status_code == 200
    settle_inbox()
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("FULFILLED", 60)
    moves = list(order.moves.order_by("pk").values_list("to_status", flat=True))
    assert moves == ["PENDING", "PAID", "FULFILLED"]
    posted = Transaction.objects.filter(reference=f"order:{order.pk}")
    assert sorted(posted.values_list("kind", flat=True)) == ["payment", "purchase"]
    assert InboxEvent.objects.count() <= len(told)
    assert sum(InboxEvent.objects.values_list("deliveries", flat=True)) == 102
    assert not Refund.objects.exists() and books_are_right()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_every_order_of_events_ends_in_the_same_state(
    gate: Gate, seed: int, turn_clock: Callable[[timedelta], None]
) -> None:
    """Paid, then part of it and then the rest given back by hand: told in order, and told late,
    doubled and mixed, with the inbox settled in between or not."""

    def told_of(user: User) -> tuple[Order, list[Told]]:
        order, payment = start(user)
        told = gate.pay(payment)
        return order, told + gate.give_back(payment, 100) + gate.give_back(payment, 399)

    first, second = make_user(), make_user()
    order, told = told_of(first)
    for one in told:
        assert gate.send(one).status_code == 200
        settle_all(turn_clock)
    wanted = state_of(first, order)
    assert wanted["order"] == ("REFUNDED", 499) and wanted["credits"] == 10

    dice = random.Random(seed)
    order, told = told_of(second)
    mixed = told * 2
    dice.shuffle(mixed)
    for one in mixed:
        assert gate.send(one).status_code == 200
        if dice.random() < 0.3:
            settle_inbox()
    settle_all(turn_clock)
    found = state_of(second, order)
    assert found == wanted
    ended = set(InboxEvent.objects.values_list("status", flat=True))
    assert ended <= {InboxStatus.SETTLED, InboxStatus.IGNORED}
    assert books_are_right()


@pytest.mark.django_db
def test_an_hour_of_silence_ends_as_if_all_had_been_told(
    gate: Gate, turn_clock: Callable[[timedelta], None]
) -> None:
    """R5: paid, paid and given back in part, left open; the gateway is down and never tells."""

    def shop() -> list[tuple[User, Order, list[Told]]]:
        made = []
        for number in range(3):
            user = make_user()
            order, payment = start(user)
            told = gate.pay(payment) if number < 2 else []
            told += gate.give_back(payment, 200) if number == 1 else []
            made.append((user, order, told))
        return made

    heard = shop()
    for _, _, told in heard:
        for one in told:
            gate.send(one)
    settle_all(turn_clock)
    wanted = [state_of(user, order) for user, order, _ in heard]
    assert [each["order"][0] for each in wanted] == ["FULFILLED", "FULFILLED", "PENDING"]

    unheard, events = shop(), InboxEvent.objects.count()
    gate.go_down()
    assert comparison.sweep().healed == 0
    assert [state_of(user, order)["order"][0] for user, order, _ in unheard] == ["PENDING"] * 3
    turn_clock(HOUR)
    gate.come_back()
    run = comparison.run(comparison.open_one(actor_id=None).pk)
    assert all(gateway["answered"] for gateway in run.gateways), run.gateways
    assert [state_of(user, order) for user, order, _ in unheard] == wanted
    assert not run.differences.exists()
    assert comparison.sweep().healed == 0
    assert InboxEvent.objects.count() == events
    # What was never sent comes after all: nothing changes.
    for _, _, told in unheard:
        for one in told:
            assert gate.send(one).status_code == 200
    settle_all(turn_clock)
    assert [state_of(user, order) for user, order, _ in unheard] == wanted
    assert books_are_right()


@pytest.mark.django_db
def test_chargebacks_in_an_hour_of_silence_end_as_if_all_had_been_told(
    gate: Gate, turn_clock: Callable[[timedelta], None]
) -> None:
    """R5: one that was known to be open, lost unheard; then opened, won and lost unheard. Where a
    gateway tells of none at all, the other half is asked for too."""

    def hear(told: list[Told]) -> None:
        for one in told:
            assert gate.send(one).status_code == 200
        settle_all(turn_clock)
        if not told:
            comparison.sweep()

    def shop(*, deaf: bool) -> list[tuple[User, Order, list[Told]]]:
        made = []
        for number, for_shop in enumerate([False, None, True, False]):
            user = make_user()
            order, payment = start(user)
            hear(gate.pay(payment))
            told = gate.dispute(payment)
            if number == 0:
                hear(told)
            if for_shop is not None:
                told += gate.decide(payment, for_shop=for_shop)
            if not deaf:
                hear(told)
            made.append((user, order, told))
        return made

    wanted = [state_of(user, order) for user, order, _ in shop(deaf=False)]
    assert [one["chargebacks"][0][0] for one in wanted] == ["lost", "needs_response", "won", "lost"]
    kept, gone = (("FULFILLED", 0), 60), (("REFUNDED", 499), 10)
    assert [(one["order"], one["credits"]) for one in wanted] == [gone, kept, kept, gone]

    unheard = shop(deaf=True)
    gate.go_down()
    turn_clock(HOUR)
    assert comparison.sweep().healed == 0
    gate.come_back()
    assert comparison.sweep().healed == 4
    assert [state_of(user, order) for user, order, _ in unheard] == wanted
    assert comparison.sweep().healed == 0
    run = comparison.run(comparison.open_one(actor_id=None).pk)
    assert not run.healed and not run.differences.exists()
    # What was never sent comes after all: nothing changes, and support is told once of each news.
    mails = Mail.objects.filter(template="chargeback").count()
    for _, _, told in unheard:
        hear(told)
    assert [state_of(user, order) for user, order, _ in unheard] == wanted
    assert Mail.objects.filter(template="chargeback").count() == mails
    assert books_are_right()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault",
    [Fault(secret="whsec_bm90IG91ciBzZWNyZXQ="), Fault(at=old()), Fault(body='{"id": "evt_1"}')],
    ids=["secret", "time", "body"],
)
def test_what_it_did_not_sign_is_refused_and_not_kept(gate: Gate, fault: Fault) -> None:
    """R10."""
    order, payment = start(make_user())
    answer = gate.send(gate.pay(payment)[-1], fault)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert not InboxEvent.objects.exists()
    settle_inbox()
    order.refresh_from_db()
    assert order.status == "PENDING"


@pytest.mark.django_db
def test_a_webhook_is_answered_before_anybody_is_asked(gate: Gate) -> None:
    """So a gateway that is slow to tell the truth is never kept waiting for its answer."""
    order, payment = start(make_user())
    told = gate.pay(payment)[-1]
    gate.go_down()
    before = gate.asked()
    assert gate.send(told).status_code == 200
    assert gate.asked() == before
    gate.come_back()
    settle_inbox()
    order.refresh_from_db()
    assert order.status == "FULFILLED"


class TestOutages:
    pytestmark = pytest.mark.django_db

    def test_a_checkout_is_refused_clearly_and_can_be_tried_again(self, gate: Gate) -> None:
        user = make_user()
        client = client_for(user)
        body, headers = {"item": "credits-50"}, {"Idempotency-Key": "once"}
        gate.go_down()
        for _ in range(2):
            answer = client.post("/api/payments/create-checkout", body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
            assert int(answer.headers["Retry-After"]) == answer.json()["retryAfter"] > 0
        order = Order.objects.get()
        assert order.status == "PENDING"
        gate.come_back()
        started = checkout(client, headers=headers)
        assert (started["orderId"], gate.opened()) == (str(order.pk), 1)
        told = gate.pay(Payment.objects.get(pk=started["paymentId"]))
        gate.send(told[-1])
        settle_inbox()
        order.refresh_from_db()
        assert (order.status, balance_of(user.pk).balance) == ("FULFILLED", 60)

    def test_an_event_waits_for_a_gateway_that_is_down(
        self, gate: Gate, turn_clock: Callable[[timedelta], None]
    ) -> None:
        user = make_user()
        order, payment = start(user)
        told = gate.pay(payment)
        gate.send(told[-1])
        gate.go_down()
        settle_inbox()
        event = InboxEvent.objects.get()
        assert event.status == InboxStatus.RECEIVED and event.outcome
        gate.come_back()
        settle_all(turn_clock)
        order.refresh_from_db()
        assert order.status == "FULFILLED"

    def test_a_refund_waits_for_a_gateway_that_is_down_and_goes_once(self, gate: Gate) -> None:
        user = make_user()
        order, payment = start(user)
        gate.send(gate.pay(payment)[-1])
        settle_inbox()
        staff = client_for(make_user(role="finance"))
        asked = {"orderId": str(order.pk), "reason": "Sorry"}
        headers = {"Idempotency-Key": "refund"}
        gate.go_down()
        answer = staff.post("/api/payments/refund", asked, headers=headers)
        assert answer.status_code == 503, answer.content
        # Whoever buys is told no more of the gateway's fault than that.
        said = answer.json()["detail"]
        assert "Try again" in said and "error" not in said.lower(), said
        assert Refund.objects.get().status == "requested"
        gate.come_back()
        comparison.run(comparison.open_one(actor_id=None).pk)
        assert Refund.objects.get().status == "succeeded"
        assert (gate.gone_back(), balance_of(user.pk).balance) == (499, 10)
        assert books_are_right()
