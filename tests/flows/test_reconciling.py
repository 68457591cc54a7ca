"""R5: the gateway is down for an hour and its webhooks are never sent; asking it ends in the state
that the webhooks would have led to."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.jobs import run_jobs
from house.people import client_for, make_user, page_client
from house.till import (
    books_are_right,
    buy,
    checkout,
    deliver_and_settle,
    payment_of,
    press,
    told,
)
from markethall.flows import comparison, refunds
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.models import Entry
from markethall.foundation.ledger.queries import balance_of, system_balance
from markethall.foundation.payments.errors import GatewayRefused, GatewayUnavailable
from markethall.foundation.payments.gateways.base import ChargeState, ChargeTruth, RefundTruth
from markethall.foundation.payments.gateways.sandbox import counter, outage
from markethall.foundation.payments.gateways.sandbox.gateway import SandboxGateway
from markethall.foundation.payments.models import (
    InboxEvent,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SandboxCheckout,
)
from markethall.foundation.reconciliation.models import Comparison, Difference, Reason
from markethall.kernel.money import Money
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]

HOUR = timedelta(hours=1)


def compare() -> Comparison:
    return comparison.run(comparison.open_one(actor_id=None).pk)


def state(users: list[User]) -> dict[str, Any]:
    """Where people's orders, money and credits stand, without ids and times."""
    found = Order.objects.filter(customer_id__in=[user.pk for user in users]).order_by("pk")
    orders = [
        (
            order.status,
            order.total,
            order.refunded,
            list(order.moves.order_by("pk").values_list("to_status", flat=True)),
            list(payment_of(order).refunds.order_by("pk").values_list("amount", "status")),
            payment_of(order).status,
        )
        for order in found
    ]
    references = [f"order:{order.pk}" for order in found]
    entries = Entry.objects.filter(transaction__reference__in=references).values_list(
        "transaction__kind", "account__unit", "amount"
    )
    credits = [balance_of(user.pk).balance for user in users]
    return {"orders": orders, "credits": credits, "entries": sorted(entries)}


def shop_through_the_hour(*, down: bool) -> list[User]:
    """One paid, one declined, one declined and then paid, one left, one paid and given back by
    hand at the gateway, one given back by us. Down, the shop hears nothing of it."""
    users = [make_user() for _ in range(6)]
    bought = buy(users[5])
    started = [checkout(client_for(user)) for user in users[:5]]
    if down:
        outage.begin(HOUR)
    for one, outcomes in zip(
        started,
        (["paid"], ["declined"], ["declined", "paid"], ["abandoned"], ["paid"]),
        strict=True,
    ):
        for outcome in outcomes:
            press(one, outcome)
    if not down:
        deliver_and_settle()
    ref = Payment.objects.get(pk=started[4]["paymentId"]).gateway_ref
    counter.give_back(ref, key=f"by hand {down}", money=Money(200, "USD"), refund_id="")
    asked = {"order_id": bought.pk, "amount": 499, "reason": "Sorry", "actor_id": uuid.uuid4()}
    try:
        refunds.refund_order(**asked)
    except GatewayUnavailable:
        assert down
    if not down:
        deliver_and_settle()
    return users


class TestOutage:
    def test_an_hour_without_the_gateway_ends_as_if_its_webhooks_had_come(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        wanted = state(shop_through_the_hour(down=False))
        heard = InboxEvent.objects.count()

        users = shop_through_the_hour(down=True)
        assert comparison.sweep().asked == 0
        assert state(users) != wanted
        told()  # the gateway's jobs are gone: these webhooks are never sent
        turn_clock(HOUR)
        run = compare()
        assert state(users) == wanted
        assert InboxEvent.objects.count() == heard + 1  # of the purchase before the outage
        assert [gateway["answered"] for gateway in run.gateways] == [True]
        assert not run.differences.exists()
        assert books_are_right()
        assert comparison.sweep().healed == 0

    def test_a_checkout_in_an_outage_is_refused_clearly_and_not_lost(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        client = client_for(make_user())
        outage.begin(HOUR)
        headers = {"Idempotency-Key": "once"}
        answer = client.post(
            "/api/payments/create-checkout", {"item": "credits-50"}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
        order = Order.objects.get()
        assert order.status == "PENDING"
        turn_clock(HOUR)
        started = checkout(client, headers=headers)
        assert started["orderId"] == str(order.pk)
        press(started)
        deliver_and_settle()
        assert Order.objects.get().status == "FULFILLED"

    def test_webhooks_in_an_outage_are_lost_for_good(
        self, transactional_db: None, turn_clock: Callable[[timedelta], None]
    ) -> None:
        started = checkout(client_for(make_user()))
        outage.begin(HOUR)
        press(started)
        run_jobs()
        turn_clock(HOUR)
        run_jobs()
        assert not InboxEvent.objects.exists()
        comparison.sweep()
        assert Order.objects.get().status == "FULFILLED"

    def test_a_gateway_that_is_down_is_told_in_the_report(self) -> None:
        outage.begin(HOUR)
        run = compare()
        assert run.finished_at
        assert [gateway["answered"] for gateway in run.gateways] == [False]
        assert "down" in run.gateways[0]["detail"]


class TestHealing:
    def test_a_payment_whose_opening_was_never_recorded_is_found_by_its_metadata(self) -> None:
        user = make_user()
        press(checkout(client_for(user)))
        told()
        Payment.objects.update(gateway_ref="", checkout_url="", status=PaymentStatus.CREATED)
        assert compare().healed == 1
        assert Payment.objects.get().gateway_ref == SandboxCheckout.objects.get().pk
        assert balance_of(user.pk).balance == 60

    def test_money_for_an_order_cancelled_meanwhile_goes_back(self) -> None:
        client = client_for(make_user())
        started = checkout(client)
        press(started)
        told()
        assert client.post(f"/api/orders/{started['orderId']}/cancel").status_code == 200
        compare()
        refund = Refund.objects.get()
        assert (refund.amount, Payment.objects.get().is_surplus) == (499, True)
        refunds.send(refund.pk)
        told()
        assert not compare().differences.exists()

    def test_a_refund_whose_answer_was_lost_is_not_given_twice(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = buy(make_user())

        def cut_off(self: SandboxGateway, ref: str, **asked: Any) -> RefundTruth:
            counter.give_back(ref, **{key: asked[key] for key in ("key", "money", "refund_id")})
            raise GatewayUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(SandboxGateway, "refund", cut_off)
            asked = {"order_id": order.pk, "reason": "Sorry", "actor_id": uuid.uuid4()}
            with pytest.raises(GatewayUnavailable):
                refunds.refund_order(amount=100, **asked)
        told()
        comparison.sweep()
        assert Refund.objects.get().status == RefundStatus.SUCCEEDED
        assert SandboxCheckout.objects.get().refunded == 100

    @pytest.mark.parametrize("answer", ["failed", "refused", "processing"])
    def test_what_failed_is_asked_about_for_three_days_at_most(
        self,
        answer: str,
        monkeypatch: pytest.MonkeyPatch,
        turn_clock: Callable[[timedelta], None],
    ) -> None:
        press(checkout(client_for(make_user())), "declined")
        deliver_and_settle()
        asked: list[str] = []

        def cannot_be_closed(self: SandboxGateway, ref: str) -> ChargeTruth:
            asked.append(ref)
            if answer == "refused":
                raise GatewayRefused("Not with this key.")
            money = Payment.objects.get(gateway_ref=ref).money
            return ChargeTruth(ref, ChargeState(answer), money)

        monkeypatch.setattr(SandboxGateway, "close", cannot_be_closed)
        states = []
        for _ in range(3):
            turn_clock(timedelta(days=2))
            compare()
            states.append(Payment.objects.get().status)
        order = Order.objects.get()
        if answer == "processing":
            assert (states, len(asked)) == (["failed"] * 3, 3)
            assert order.status == "PROCESSING"
        else:
            assert (states, len(asked)) == (["failed", "cancelled", "cancelled"], 2)
            assert order.status == "CANCELLED"

    def test_a_refund_by_hand_takes_back_what_it_bought_once(self) -> None:
        user = make_user(credits=0)
        order = buy(user)
        ref = payment_of(order).gateway_ref
        counter.give_back(ref, key="hand", money=Money(499, "USD"), refund_id="")
        compare()
        deliver_and_settle()  # its webhook comes after all
        order.refresh_from_db()
        assert (order.status, balance_of(user.pk).balance) == ("REFUNDED", 0)
        assert system_balance(accounts.gateway("sandbox", "USD")) == 0
        assert Refund.objects.count() == 1
        assert books_are_right()

    def test_a_look_changes_nothing_when_all_is_known(self) -> None:
        buy(make_user())
        run = compare()
        assert (run.asked, run.healed) == (0, 0)
        assert [row.off_by for row in run.days.all()] == [0]


class TestDifferences:
    def test_a_charge_of_nobody_is_shown_and_left_alone(self) -> None:
        buy(make_user())
        SandboxCheckout.objects.create(
            id="sbx_by_hand",
            idempotency_key="hand",
            kind="checkout",
            amount=1200,
            currency="USD",
            status="paid",
            description="",
            created_at=payment_of(Order.objects.get()).created_at,
            paid_at=payment_of(Order.objects.get()).succeeded_at,
        )
        run = compare()
        item = run.differences.get()
        assert (item.reason, item.there, item.here) == (Reason.UNKNOWN_CHARGE, 1200, None)
        day = run.days.get()
        assert (day.charged_there, day.charged_here, day.off_by) == (1699, 499, 1200)

    def test_another_amount_is_neither_fulfilled_nor_healed(self) -> None:
        user = make_user()
        press(checkout(client_for(user)))
        told()
        SandboxCheckout.objects.update(amount=1)
        item = compare().differences.get()
        assert (item.reason, item.there) == (Reason.NOT_BOOKED, 1)
        mended = comparison.heal_difference(
            difference_id=item.pk, actor_id=make_user(role="finance").pk
        )
        assert mended.healed_at is None
        assert "$0.01" in mended.outcome
        assert balance_of(user.pk).balance == 10

    def test_the_page_counts_anew_when_a_difference_is_healed(self) -> None:
        press(checkout(client_for(make_user())))
        told()
        SandboxCheckout.objects.update(amount=1)
        run = compare()
        desk = page_client(make_user(role="finance"))
        for place in ("/console/reconcile", f"/console/reconcile/{run.pk}"):
            shown = desk.get(place).content.decode()
            assert "1 difference<" in shown
            assert re.search(r'id="comparison"[^>]*hx-trigger="[^"]*changed from:body', shown), (
                place
            )
        SandboxCheckout.objects.update(amount=499)
        heal = f"/console/reconcile/differences/{run.differences.get().pk}/heal"
        answer = desk.post(heal, headers={"HX-Request": "true"})
        assert '"changed"' in answer["HX-Trigger"]
        assert "healed" in answer.content.decode()
        counted = desk.get("/console/reconcile/state", headers={"HX-Request": "true"})
        assert "The gateways and the books agree" in counted.content.decode()

    def test_what_the_gateway_does_not_know_is_shown(self) -> None:
        order = buy(make_user())
        SandboxCheckout.objects.update(status="abandoned", paid_at=None)
        item = compare().differences.get()
        assert (item.reason, item.there, item.here) == (Reason.NOT_AT_GATEWAY, None, 499)
        assert item.reference == order.pk

    def test_what_was_settled_late_is_no_difference(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        press(checkout(client_for(make_user())))
        told()
        turn_clock(timedelta(days=2))
        run = comparison.run(
            comparison.open_one(actor_id=None, since=comparison.clock.now() - HOUR).pk
        )
        assert run.healed == 1  # by asking about the open payment
        run = compare()
        assert not run.differences.exists()
        since_yesterday = comparison.open_one(
            actor_id=None, since=comparison.clock.now() - timedelta(days=1)
        )
        assert not comparison.run(since_yesterday.pk).differences.exists()

    def test_a_payment_named_by_a_gateway_that_is_gone_is_told(self) -> None:
        buy(make_user())
        Payment.objects.update(gateway="bygone")
        run = compare()
        answers = {gateway["name"]: gateway for gateway in run.gateways}
        assert not answers["bygone"]["answered"]
        assert "bygone" in answers["bygone"]["detail"]

    def test_running_twice_stores_once(self) -> None:
        buy(make_user())
        wanted = comparison.open_one(actor_id=None)
        for _ in range(2):
            comparison.run(wanted.pk)
        assert wanted.days.count() == 1
        assert not Difference.objects.exists()


def test_the_clock_brings_the_sweep(transactional_db: None) -> None:
    user = make_user()
    press(checkout(client_for(user)), delaySeconds=3000)
    client_for(user).post("/api/dev/clock", {"hours": 1})
    run_jobs()
    assert balance_of(user.pk).balance == 60
