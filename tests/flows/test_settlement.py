from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from house.jobs import run_jobs
from house.parallel import together
from house.people import client_for, make_user, page_client
from house.till import (
    books_are_right,
    buy,
    checkout,
    deliver_and_settle,
    old,
    payment_of,
    post_event,
    press,
    told,
    waiting_jobs,
    yen_pack,
)
from markethall.flows.settlement import settle_truth
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.models import Transaction
from markethall.foundation.ledger.queries import balance_of, history_of, system_balance
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments import inbox
from markethall.foundation.payments.errors import GatewayUnavailable
from markethall.foundation.payments.gateways.base import ChargeState, ChargeTruth
from markethall.foundation.payments.gateways.sandbox.gateway import SandboxGateway
from markethall.foundation.payments.models import (
    InboxEvent,
    InboxStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SandboxCheckout,
)
from markethall.trade.orders.models import Order, OrderStatus

pytestmark = pytest.mark.usefixtures("till")


def moves(order: Order) -> list[str]:
    return list(order.moves.order_by("pk").values_list("to_status", flat=True))


def status_of(started: dict[str, Any]) -> str:
    return Order.objects.get(pk=started["orderId"]).status


@pytest.mark.django_db
class TestPaid:
    def test_a_payment_pays_books_and_grants(self) -> None:
        user = make_user()
        order = buy(user)
        assert moves(order) == ["PENDING", "PAID", "FULFILLED"]
        assert balance_of(user.pk).balance == 60
        row = history_of(user.pk).order_by("-id")[0]
        assert (row.transaction.kind, row.amount) == ("purchase", 50)
        assert row.transaction.metadata == {
            "orderId": str(order.pk),
            "orderNumber": order.number,
            "pack": "credits-50",
            "price": {"amount": 499, "currency": "USD"},
        }
        assert system_balance(accounts.gateway("sandbox", "USD")) == 499
        assert system_balance(accounts.sales("plushify", "USD")) == -499
        assert books_are_right()

    def test_the_browser_coming_back_grants_nothing(self) -> None:
        user = make_user()
        started = checkout(client_for(user))
        back = press(started)["returnUrl"].removeprefix("http://testserver")
        page = page_client(user).get(back)
        assert page.status_code == 200
        assert "Waiting for the payment" in page.content.decode()
        assert status_of(started) == "PENDING"
        assert balance_of(user.pk).balance == 10
        deliver_and_settle()
        assert "confirmed" in page_client(user).get(back).content.decode()
        assert balance_of(user.pk).balance == 60

    def test_yen_have_no_cents(self) -> None:
        yen_pack()
        user = make_user(credits=0)
        order = buy(user, "credits-yen")
        assert order.total == payment_of(order).amount == 700
        assert SandboxCheckout.objects.get().amount == 700
        assert str(order.total_money) == "¥700"
        assert system_balance(accounts.gateway("sandbox", "JPY")) == 700
        assert balance_of(user.pk).balance == 70

    def test_a_failure_told_after_the_success_changes_nothing(self) -> None:
        user = make_user()
        started = checkout(client_for(user))
        press(started, "declined")
        press(started, "paid")
        failed, succeeded = told()
        assert (failed["type"], succeeded["type"]) == ("payment.failed", "payment.succeeded")
        post_event(succeeded)
        settle_inbox()
        post_event(failed)
        settle_inbox()
        assert status_of(started) == "FULFILLED"
        assert balance_of(user.pk).balance == 60
        assert not Mail.objects.filter(template="payment_failed").exists()

    def test_an_early_event_is_settled_by_the_truth(self) -> None:
        user = make_user()
        started = checkout(client_for(user))
        press(started, shuffle=True)
        events = {event["type"]: event for event in told()}
        post_event(events["payment.processing"])
        settle_inbox()
        assert status_of(started) == "FULFILLED"
        post_event(events["payment.succeeded"])
        settle_inbox()
        assert balance_of(user.pk).balance == 60
        assert InboxEvent.objects.get(type="payment.succeeded").status == InboxStatus.IGNORED

    def test_a_replay_of_a_settled_event_changes_nothing(self) -> None:
        user, admin = make_user(), make_user(role="admin")
        order = buy(user)
        before = Transaction.objects.count()
        event = InboxEvent.objects.get()
        answer = client_for(admin).post(f"/api/webhooks/events/{event.pk}/replay")
        assert answer.status_code == 202
        settle_inbox()
        event.refresh_from_db()
        assert (event.status, event.attempts) == (InboxStatus.IGNORED, 1)
        assert Transaction.objects.count() == before
        assert moves(order) == ["PENDING", "PAID", "FULFILLED"]

    def test_a_second_payment_of_a_paid_order_goes_back_by_itself(self) -> None:
        user = make_user()
        client = client_for(user)
        first = checkout(client)
        press(first, "declined")
        deliver_and_settle()
        answer = client.post("/api/payments/create-checkout", {"orderId": first["orderId"]})
        second = answer.json()
        assert second["paymentId"] != first["paymentId"]
        press(first, "paid")
        press(second, "paid")
        deliver_and_settle()
        surplus = Payment.objects.get(is_surplus=True)
        refund = Refund.objects.get(payment=surplus)
        assert waiting_jobs("send_refund") == [{"refund_id": str(refund.pk)}]
        deliver_refund(refund)
        assert balance_of(user.pk).balance == 60
        assert status_of(first) == "FULFILLED"
        assert Order.objects.get().refunded == 0
        assert system_balance(accounts.gateway("sandbox", "USD")) == 499
        assert system_balance(accounts.owed("USD")) == 0
        assert books_are_right()

    def test_money_for_a_cancelled_order_goes_back_by_itself(self) -> None:
        user = make_user()
        client = client_for(user)
        started = checkout(client)
        press(started)
        assert client.post(f"/api/orders/{started['orderId']}/cancel").status_code == 200
        deliver_and_settle()
        assert status_of(started) == "CANCELLED"
        deliver_refund(Refund.objects.get())
        assert balance_of(user.pk).balance == 10
        assert SandboxCheckout.objects.get().refunded == 499


def deliver_refund(refund: Refund) -> None:
    """The job's work, and the gateway's word of it, which comes on top."""
    from markethall.flows.refunds import send

    assert send(refund.pk).status == RefundStatus.SUCCEEDED
    deliver_and_settle()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED


@pytest.mark.django_db
class TestNotPaid:
    def test_declined_then_paid_again_by_another_payment(self) -> None:
        user = make_user()
        client = client_for(user)
        started = checkout(client)
        press(started, "declined")
        deliver_and_settle()
        assert status_of(started) == "PAYMENT_FAILED"
        mail = Mail.objects.get(template="payment_failed")
        assert "The card was declined." in mail.text
        again = client.post("/api/payments/create-checkout", {"orderId": started["orderId"]}).json()
        assert again["orderId"] == started["orderId"]
        assert status_of(started) == "PENDING"
        press(again)
        deliver_and_settle()
        order = Order.objects.get()
        assert moves(order) == ["PENDING", "PAYMENT_FAILED", "PENDING", "PAID", "FULFILLED"]
        assert str(order.payment_id) == again["paymentId"]
        assert balance_of(user.pk).balance == 60

    def test_declined_twice_is_told_once(self) -> None:
        started = checkout(client_for(make_user()))
        for _ in range(2):
            press(started, "declined")
            deliver_and_settle()
        assert status_of(started) == "PAYMENT_FAILED"
        assert Mail.objects.filter(template="payment_failed").count() == 1

    def test_abandoned_cancels_the_order_once(self) -> None:
        started = checkout(client_for(make_user()))
        for _ in range(2):
            press(started, "abandoned")
            deliver_and_settle()
        order = Order.objects.get()
        assert moves(order) == ["PENDING", "CANCELLED"]
        assert payment_of(order).status == PaymentStatus.CANCELLED

    def test_one_closed_try_leaves_an_order_open_that_has_another(self) -> None:
        client = client_for(make_user())
        started = checkout(client)
        press(started, "declined")
        deliver_and_settle()
        client.post("/api/payments/create-checkout", {"orderId": started["orderId"]})
        press(started, "abandoned")
        deliver_and_settle()
        assert status_of(started) == "PENDING"

    def test_a_failure_of_one_try_does_not_touch_a_cancelled_order(self) -> None:
        client = client_for(make_user())
        started = checkout(client)
        press(started, "declined")
        client.post(f"/api/orders/{started['orderId']}/cancel")
        deliver_and_settle()
        assert status_of(started) == "CANCELLED"

    def test_what_is_closed_or_paid_stays_so_whoever_asks_again(self) -> None:
        client = client_for(make_user())
        for outcome, state in (("abandoned", "CANCELLED"), ("paid", "FULFILLED")):
            started = checkout(client)
            press(started, outcome)
            deliver_and_settle()
            payment = Payment.objects.get(pk=started["paymentId"])
            truth = SandboxGateway().fetch_payment(payment.gateway_ref)
            assert settle_truth(payment.pk, truth).status == InboxStatus.IGNORED
            assert status_of(started) == state

    def test_a_payment_under_way_shows_as_processing(self) -> None:
        started = checkout(client_for(make_user()))
        payment = Payment.objects.get()
        truth = ChargeTruth(payment.gateway_ref, ChargeState.PROCESSING, payment.money)
        assert settle_truth(payment.pk, truth).status == InboxStatus.SETTLED
        assert status_of(started) == "PROCESSING"
        assert settle_truth(payment.pk, truth).status == InboxStatus.IGNORED


@pytest.mark.django_db
class TestParked:
    @pytest.mark.parametrize("claim", [{"amount": 1}, {"currency": "EUR"}])
    def test_an_event_of_another_amount_is_parked(self, claim: dict[str, Any]) -> None:
        user = make_user()
        started = checkout(client_for(user))
        press(started)
        (event,) = told()
        event["data"].update(claim)
        assert post_event(event).status_code == 200
        settle_inbox()
        stored = InboxEvent.objects.get()
        assert stored.status == InboxStatus.PARKED
        assert "$4.99 was asked for" in stored.outcome
        assert status_of(started) == "PENDING"
        assert balance_of(user.pk).balance == 10

    def test_a_payment_of_another_amount_is_parked(self) -> None:
        user = make_user()
        started = checkout(client_for(user))
        SandboxCheckout.objects.update(amount=1)
        press(started)
        (event,) = told()
        del event["data"]["amount"]
        post_event(event)
        settle_inbox()
        assert InboxEvent.objects.get().status == InboxStatus.PARKED
        assert balance_of(user.pk).balance == 10

    def test_an_unknown_payment_or_refund_is_parked(self) -> None:
        for kind in ("payment.succeeded", "refund.succeeded"):
            data = {"id": "sbx_of_nobody", "key": "no-uuid", "amount": 1, "currency": "USD"}
            post_event({"id": f"evt_{kind}", "type": kind, "data": data})
        settle_inbox()
        assert set(InboxEvent.objects.values_list("status", flat=True)) == {"parked"}

    @pytest.mark.parametrize("data", [{"id": "x"}, "no object"])
    def test_what_nothing_follows_from_is_ignored(self, data: Any) -> None:
        post_event({"id": "evt_1", "type": "customer.created", "data": data})
        settle_inbox()
        assert InboxEvent.objects.get().status == InboxStatus.IGNORED


@pytest.mark.django_db
class TestRetries:
    def test_a_success_that_the_gateway_does_not_confirm_is_tried_again(
        self, turn_clock: Callable[[timedelta], None]
    ) -> None:
        started = checkout(client_for(make_user()))
        press(started)
        SandboxCheckout.objects.update(status="open")
        for event in told():
            post_event(event)
        settle_inbox()
        event = InboxEvent.objects.get()
        assert (event.status, event.attempts) == (InboxStatus.RECEIVED, 1)
        assert "still open" in event.outcome
        assert settle_inbox() == 0
        SandboxCheckout.objects.update(status="paid")
        turn_clock(timedelta(seconds=11))
        assert inbox.wake_if_due()
        settle_inbox()
        assert status_of(started) == "FULFILLED"
        assert not inbox.wake_if_due()

    def test_an_event_dies_after_eight_attempts_and_can_be_replayed(
        self, turn_clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started = checkout(client_for(make_user()))
        press(started)

        def silent(self: SandboxGateway, ref: str) -> ChargeTruth:
            raise GatewayUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(SandboxGateway, "fetch_payment", silent)
            for event in told():
                post_event(event)
            for _ in range(8):
                assert settle_inbox() == 1
                turn_clock(timedelta(hours=1))
            assert settle_inbox() == 0
        event = InboxEvent.objects.get()
        assert (event.status, event.attempts) == (InboxStatus.DEAD, 8)
        assert "does not answer" in event.outcome
        inbox.replay(event.pk, actor_id=make_user(role="admin").pk)
        settle_inbox()
        assert status_of(started) == "FULFILLED"

    def test_one_event_that_breaks_does_not_hold_up_the_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ok, broken = (checkout(client_for(make_user())) for _ in range(2))
        ref = Payment.objects.get(pk=broken["paymentId"]).gateway_ref
        fetch = SandboxGateway.fetch_payments

        def fetch_or_break(self: SandboxGateway, wanted: Sequence[str]) -> dict[str, ChargeTruth]:
            if ref in wanted:
                raise RuntimeError("broken")
            return fetch(self, wanted)

        monkeypatch.setattr(SandboxGateway, "fetch_payments", fetch_or_break)
        press(broken)
        press(ok)
        deliver_and_settle()
        assert (status_of(ok), status_of(broken)) == ("FULFILLED", "PENDING")


@pytest.mark.django_db(transaction=True)
class TestExactlyOnce:
    def test_one_payment_reported_in_every_way_at_once_is_settled_once(
        self, transactional_db: None
    ) -> None:
        """R1: 100 parallel deliveries, doubled, reordered and late, and the browser's return."""
        user = make_user()
        started = checkout(client_for(user))
        press(started, deliveries=100, shuffle=True)
        back = f"/orders/{started['orderId']}/return"
        browser = page_client(user)
        acts: list[Callable[[], Any]] = [settle_inbox] * 6 + [lambda: browser.get(back)] * 2
        acts += [lambda event=event: post_event(event).status_code for event in told()[:40]]
        random.Random(7).shuffle(acts)
        assert not [result for result in together(acts) if isinstance(result, Exception)]
        press(started, deliveries=100, shuffle=True)
        run_jobs()
        late = InboxEvent.objects.get(type="payment.succeeded")
        assert late.deliveries >= 100
        settle_inbox()
        order = Order.objects.get()
        assert moves(order) == ["PENDING", "PAID", "FULFILLED"]
        assert balance_of(user.pk).balance == 60
        kinds = Transaction.objects.filter(reference=f"order:{order.pk}")
        assert sorted(kinds.values_list("kind", flat=True)) == ["payment", "purchase"]
        assert Mail.objects.filter(template="order_receipt").count() == 1
        assert books_are_right()

    def test_two_truths_at_once_pay_once(self, transactional_db: None) -> None:
        user = make_user()
        started = checkout(client_for(user))
        press(started)
        payment = Payment.objects.get()
        truth = SandboxGateway().fetch_payment(payment.gateway_ref)
        together([lambda: settle_truth(payment.pk, truth)] * 8)
        assert balance_of(user.pk).balance == 60
        assert status_of(started) == OrderStatus.FULFILLED


@pytest.mark.django_db
class TestSignatures:
    def event(self) -> dict[str, Any]:
        press(checkout(client_for(make_user())))
        return told()[0]

    def refused(self, answer: Any) -> None:
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_signature"
        assert not InboxEvent.objects.exists()

    def test_a_wrong_secret_is_refused(self) -> None:
        self.refused(post_event(self.event(), secret="whsec_" + "bm90IHRoZSBzZWNyZXQ="))

    def test_an_old_timestamp_is_refused(self) -> None:
        self.refused(post_event(self.event(), at=old()))

    def test_an_altered_body_is_refused(self) -> None:
        event = self.event()
        self.refused(post_event(event, body='{"id":"x"}'))

    @pytest.mark.parametrize("signature", ["", "v1", "v1,%%%", "v2,abcd", "a b c"])
    def test_a_broken_signature_is_refused(self, signature: str) -> None:
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": "1",
            "webhook-signature": signature,
        }
        self.refused(Client().post("/api/webhooks/sandbox", b"\xff\x00", "x/y", headers=headers))

    @pytest.mark.parametrize("body", ["no json", "[]", '{"type": "a\\u0000b"}'])
    def test_what_is_signed_but_no_event_is_refused(self, body: str) -> None:
        from django.utils import timezone

        from markethall.foundation.payments.gateways.sandbox import signing

        headers = signing.sign("evt_1", timezone.now(), body)
        headers.pop("content-type")
        self.refused(
            Client().post("/api/webhooks/sandbox", body, "application/json", headers=headers)
        )

    def test_a_secret_in_plain_text_will_do(self, settings: Any) -> None:
        environment = settings.ENVIRONMENT.model_copy(
            update={"sandbox_webhook_secret": "just a plain secret"}
        )
        settings.ENVIRONMENT = environment
        assert post_event(self.event()).status_code == 200

    def test_a_repeated_delivery_is_counted_and_nothing_else(self) -> None:
        event = self.event()
        for _ in range(3):
            assert post_event(event).status_code == 200
        assert InboxEvent.objects.get().deliveries == 3
        assert len(waiting_jobs("settle_inbox")) == 1


def test_a_replay_wakes_the_job_once_it_can_be_seen(transactional_db: None) -> None:
    buy(make_user())
    event, admin = InboxEvent.objects.get(), make_user(role="admin")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
    with transaction.atomic():
        inbox.replay(event.pk, actor_id=admin.pk)
        assert waiting_jobs("settle_inbox") == []
    assert len(waiting_jobs("settle_inbox")) == 1
