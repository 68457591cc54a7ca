"""Markethall against Stripe's own SDK, which talks to a stand-in of Stripe's API."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

import stripe
from house.parallel import together
from house.people import client_for, make_user, page_client
from house.till import books_are_right, checkout
from markethall.flows import customers, reconciliation, refunds
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.errors import GatewayRefused
from markethall.foundation.payments.gateways.stripe.amounts import from_stripe, to_stripe
from markethall.foundation.payments.models import (
    Chargeback,
    InboxEvent,
    Payment,
    Refund,
    RefundCause,
)
from markethall.kernel.money import Money
from markethall.trade.orders.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def bought(peer: Any, sender: Any) -> tuple[Any, Order, Payment, dict[str, Any]]:
    """Somebody has bought 50 credits; person, order, payment, session."""
    user = make_user()
    started = checkout(client_for(user))
    payment = Payment.objects.get(pk=started["paymentId"])
    session = peer.pay(payment.gateway_ref)
    sender.tell("checkout.session.completed", session)
    settle_inbox()
    payment.refresh_from_db()
    return user, Order.objects.get(pk=started["orderId"]), payment, session


def outcome_of(type: str) -> InboxEvent:
    return InboxEvent.objects.get(type=type)


def test_a_checkout_asks_for_our_amount_and_leads_back_to_the_order(peer: Any) -> None:
    user = make_user()
    started = checkout(client_for(user))
    assert started["checkoutUrl"].startswith("https://checkout.stripe.com/")
    payment = Payment.objects.get(pk=started["paymentId"])
    session = peer.get(payment.gateway_ref)
    assert session["amount_total"] == 499 and session["currency"] == "usd"
    assert session["metadata"]["paymentId"] == str(payment.pk)
    assert session["payment_intent_data"]["metadata"] == session["metadata"]
    assert session["payment_intent_data"]["statement_descriptor_suffix"] == "MARKETHALL"
    assert peer.get(session["customer"])["metadata"]["userId"] == str(user.pk)


def test_a_paid_session_grants_once_and_keeps_the_intent(peer: Any, sender: Any) -> None:
    user, order, payment, session = bought(peer, sender)
    assert order.status == "FULFILLED"
    assert payment.charge_ref == session["payment_intent"]
    sender.tell("payment_intent.succeeded", peer.get(session["payment_intent"]))
    sender.tell("checkout.session.completed", session)
    settle_inbox()
    assert balance_of(user.pk).balance == 60
    assert books_are_right()


def test_a_hundred_deliveries_at_once_pay_one_order(peer: Any, sender: Any) -> None:
    user = make_user()
    started = checkout(client_for(user))
    session = peer.pay(Payment.objects.get(pk=started["paymentId"]).gateway_ref)
    intent = peer.get(session["payment_intent"])
    events = [
        sender.event("checkout.session.completed", session),
        sender.event("payment_intent.processing", intent),
        sender.event("payment_intent.succeeded", intent),
        sender.event("charge.succeeded", {**intent, "id": "ch_1", "payment_intent": intent["id"]}),
    ] * 25
    random.shuffle(events)
    waiting = list(events)

    def deliver() -> None:
        while waiting:
            assert sender.post(waiting.pop()).status_code == 200

    together([*[deliver] * 4, *[settle_inbox] * 2])
    settle_inbox()
    assert balance_of(user.pk).balance == 60
    assert InboxEvent.objects.count() == 4
    assert not InboxEvent.objects.exclude(status__in=["settled", "ignored"]).exists()
    assert books_are_right()


@pytest.mark.parametrize("fault", ["secret", "time", "body", "missing"])
def test_what_is_not_signed_is_refused_and_not_kept(peer: Any, sender: Any, fault: str) -> None:
    event = sender.event("checkout.session.completed", {"id": "cs_test_1"})
    answer = {
        "secret": lambda: sender.post(event, secret="whsec_wrong"),
        "time": lambda: sender.post(event, at=int(time.time()) - 360),
        "body": lambda: sender.post(event, body='{"id": "evt_other"}'),
        "missing": lambda: sender.post({"type": "no id"}),
    }[fault]()
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_signature"
    assert not InboxEvent.objects.exists()


def test_either_secret_is_taken_while_one_replaces_the_other(peer: Any, sender: Any) -> None:
    event = sender.event("product.created", {"id": "prod_1"})
    assert sender.post(event, secret="whsec_rolled_out").status_code == 200
    assert sender.post(event, path="/api/payments/webhook").status_code == 200
    settle_inbox()
    assert InboxEvent.objects.get().status == "ignored"


def test_another_amount_is_parked_and_never_fulfilled(peer: Any, sender: Any) -> None:
    user = make_user()
    started = checkout(client_for(user))
    session = peer.pay(Payment.objects.get(pk=started["paymentId"]).gateway_ref, amount=1)
    sender.tell("checkout.session.completed", session)
    sender.tell("checkout.session.async_payment_succeeded", {**session, "amount_total": 499})
    settle_inbox()
    assert {event.status for event in InboxEvent.objects.all()} == {"parked"}
    assert Order.objects.get(pk=started["orderId"]).status == "PENDING"
    assert balance_of(user.pk).balance == 10


def test_events_of_other_applications_are_ignored(peer: Any, sender: Any) -> None:
    foreign = {"id": "cs_test_9", "mode": "payment", "amount_total": 5, "currency": "usd"}
    sender.tell("checkout.session.completed", foreign)
    intent = peer.make("pi", "payment_intent", currency="usd", metadata={}, amount=5)
    sender.tell("refund.created", peer.give_back(intent["id"], 5))
    sender.tell("charge.dispute.created", peer.dispute(intent["id"]))
    settle_inbox()
    assert {event.status for event in InboxEvent.objects.all()} == {"ignored"}


def test_another_api_version_is_said(peer: Any, sender: Any) -> None:
    sender.tell("payment_intent.canceled", {"id": "pi_x"}, api_version="2020-08-27")
    settle_inbox()
    assert "API version 2020-08-27" in InboxEvent.objects.get().outcome


def test_a_declined_try_on_the_page_changes_nothing(peer: Any, sender: Any) -> None:
    started = checkout(client_for(make_user()))
    payment = Payment.objects.get(pk=started["paymentId"])
    given = {"paymentId": str(payment.pk)}
    intent = {"id": "pi_9", "amount": 499, "currency": "usd", "metadata": given}
    sender.tell("payment_intent.payment_failed", intent)
    settle_inbox()
    assert outcome_of("payment_intent.payment_failed").status == "ignored"
    assert Order.objects.get(pk=started["orderId"]).status == "PENDING"


def test_a_page_that_ran_out_cancels_the_order(peer: Any, sender: Any) -> None:
    started = checkout(client_for(make_user()))
    session = peer.get(Payment.objects.get(pk=started["paymentId"]).gateway_ref)
    session["status"] = "expired"
    sender.tell("checkout.session.expired", session)
    settle_inbox()
    assert Order.objects.get(pk=started["orderId"]).status == "CANCELLED"


def test_a_payment_that_no_webhook_told_of_is_found(peer: Any) -> None:
    user = make_user()
    started = checkout(client_for(user))
    payment = Payment.objects.get(pk=started["paymentId"])
    peer.pay(payment.gateway_ref)
    reconciliation.look(payment.pk)
    assert balance_of(user.pk).balance == 60


def test_closing_a_page_leaves_what_was_paid(peer: Any) -> None:
    user = make_user()
    started = checkout(client_for(user))
    payment = Payment.objects.get(pk=started["paymentId"])
    peer.pay(payment.gateway_ref)
    reconciliation.look(payment.pk, close=True)
    assert balance_of(user.pk).balance == 60


class TestIntents:
    def start(self, user: Any) -> dict[str, Any]:
        answer = client_for(user).post("/api/payments/create-intent", {"item": "credits-50"})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    def confirm(self, user: Any, started: dict[str, Any], method: str) -> Any:
        body = {"paymentId": started["paymentId"], "paymentMethod": method}
        return client_for(user).post("/api/payments/confirm", body)

    def test_the_front_end_gets_what_it_needs(self, peer: Any) -> None:
        started = self.start(make_user())
        assert started["publishableKey"] == "pk_test_peer"
        assert started["gateway"] == "stripe"
        assert started["clientSecret"] == "pi_secret_1"

    def test_a_card_pays_at_once_and_one_time(self, peer: Any) -> None:
        user = make_user()
        started = self.start(user)
        for _ in range(2):
            answer = self.confirm(user, started, "pm_card_visa")
            assert answer.status_code == 200, answer.content
            assert answer.json()["status"] == "succeeded"
        assert balance_of(user.pk).balance == 60

    def test_the_bank_wants_to_ask_first(self, peer: Any) -> None:
        user = make_user()
        answer = self.confirm(user, self.start(user), "pm_card_threeDSecure2Required").json()
        assert answer["status"] == "pending"
        assert answer["nextStep"]["type"] == "redirect"
        assert answer["nextStep"]["url"] == "https://bank.test/3ds"

    def test_a_declined_card_can_be_replaced(self, peer: Any) -> None:
        user = make_user()
        started = self.start(user)
        declined = self.confirm(user, started, "pm_card_chargeDeclined").json()
        assert declined["status"] == "failed"
        assert self.confirm(user, started, "pm_card_visa").json()["status"] == "succeeded"


class TestRefunds:
    def test_a_refund_of_ours_names_ours(self, peer: Any, sender: Any) -> None:
        user, order, _payment, _ = bought(peer, sender)
        made = refunds.refund_order(
            order_id=order.pk, amount=None, reason="Wrong", actor_id=user.pk
        )
        assert made.status == "succeeded"
        sent = peer.get(made.gateway_ref)
        assert sent["metadata"]["refundId"] == str(made.pk)
        sender.tell("refund.created", sent)
        settle_inbox()
        assert Refund.objects.count() == 1
        assert balance_of(user.pk).balance == 10 and books_are_right()

    def test_one_made_at_stripe_becomes_ours(self, peer: Any, sender: Any) -> None:
        user, order, _payment, session = bought(peer, sender)
        refund = peer.give_back(session["payment_intent"], 499)
        sender.tell("refund.created", refund)
        sender.tell("refund.updated", refund)
        settle_inbox()
        kept = Refund.objects.get()
        assert (kept.cause, kept.status, kept.amount) == (RefundCause.GATEWAY, "succeeded", 499)
        order.refresh_from_db()
        assert order.status == "REFUNDED"
        assert balance_of(user.pk).balance == 10 and books_are_right()

    def test_a_pending_one_waits_for_its_end(self, peer: Any, sender: Any) -> None:
        user, _order, _payment, session = bought(peer, sender)
        refund = peer.give_back(session["payment_intent"], 499, status="pending")
        sender.tell("refund.created", refund)
        settle_inbox()
        assert Refund.objects.get().status == "requested"
        assert balance_of(user.pk).balance == 60
        refund["status"] = "succeeded"
        sender.tell("refund.updated", refund)
        settle_inbox()
        assert Refund.objects.get().status == "succeeded"
        assert balance_of(user.pk).balance == 10 and books_are_right()

    def test_one_that_the_bank_sends_back_is_owed(self, peer: Any, sender: Any) -> None:
        user, order, _payment, _session = bought(peer, sender)
        made = refunds.refund_order(
            order_id=order.pk, amount=None, reason="Wrong", actor_id=user.pk
        )
        sent = peer.get(made.gateway_ref)
        sent |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        sender.tell("refund.failed", sent)
        settle_inbox()
        made.refresh_from_db()
        assert made.status == "failed" and made.is_owed
        assert "expired or canceled card" in made.failure
        again = refunds.retry(refund_id=made.pk, actor_id=user.pk)
        assert again.status == "succeeded" and again.gateway_ref != sent["id"]
        assert balance_of(user.pk).balance == 10 and books_are_right()
        sender.tell("refund.failed", {**sent, "id": sent["id"]}, id="evt_late")
        settle_inbox()
        assert Refund.objects.get().status == "succeeded"


class TestChargebacks:
    def test_a_lost_one_takes_back_what_was_bought(self, peer: Any, sender: Any) -> None:
        user, order, payment, session = bought(peer, sender)
        dispute = peer.dispute(session["payment_intent"])
        sender.tell("charge.dispute.created", dispute)
        settle_inbox()
        chargeback = Chargeback.objects.get()
        assert chargeback.status == "needs_response" and chargeback.withdrawn
        assert chargeback.due_by is not None and balance_of(user.pk).balance == 60
        mail = Mail.objects.get(template="chargeback")
        assert f"/console/payments/{payment.pk}" in mail.text
        page = page_client(make_user(role=Role.FINANCE)).get(f"/console/payments/{payment.pk}")
        assert "Answer it at the gateway" in page.content.decode()
        assert f"dashboard.stripe.com/test/disputes/{dispute['id']}" in page.content.decode()
        dispute["status"] = "lost"
        sender.tell("charge.dispute.closed", dispute)
        sender.tell("charge.dispute.updated", dispute)
        settle_inbox()
        chargeback.refresh_from_db()
        order.refresh_from_db()
        assert chargeback.status == "lost" and chargeback.refund is not None
        assert order.status == "REFUNDED" and balance_of(user.pk).balance == 10
        assert books_are_right()

    def test_a_won_one_brings_the_money_back(self, peer: Any, sender: Any) -> None:
        user, _order, _payment, session = bought(peer, sender)
        dispute = peer.dispute(session["payment_intent"])
        sender.tell("charge.dispute.created", dispute)
        settle_inbox()
        dispute["status"] = "won"
        sender.tell("charge.dispute.closed", dispute)
        settle_inbox()
        assert Chargeback.objects.get().withdrawn
        dispute["balance_transactions"].append({"amount": 499})
        sender.tell("charge.dispute.funds_reinstated", dispute)
        settle_inbox()
        chargeback = Chargeback.objects.get()
        assert chargeback.status == "won" and not chargeback.withdrawn
        assert balance_of(user.pk).balance == 60 and books_are_right()


def test_what_stripe_does_not_answer_is_kept(peer: Any) -> None:
    peer.fail_with = 500
    user = make_user()
    answer = client_for(user).post("/api/payments/create-checkout", {"item": "credits-50"})
    assert answer.status_code == 503 and answer.json()["code"] == "gateway_unavailable"
    peer.fail_with = None
    payment = Payment.objects.get()
    reconciliation.look(payment.pk)
    payment.refresh_from_db()
    assert payment.gateway_ref.startswith("cs_test_")


def test_the_portal_is_stripes(peer: Any, sender: Any) -> None:
    user = make_user()
    answer = client_for(user).post("/api/payments/portal", {})
    assert answer.json()["url"].startswith("https://billing.stripe.com/")
    customers.forget(user.pk)
    assert not [ref for ref in peer.things if ref.startswith("cus_")]


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        (Money(499, "USD"), 499),
        (Money(700, "JPY"), 700),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(5120, "KWD"), 5120),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them(money: Money, amount: int) -> None:
    assert to_stripe(money) == amount
    assert from_stripe(amount, money.currency.lower()) == money


def test_amounts_that_stripe_does_not_take() -> None:
    with pytest.raises(GatewayRefused):
        to_stripe(Money(5124, "KWD"))
    with pytest.raises(ValueError, match="UGX"):
        from_stripe(150, "ugx")


def test_the_version_is_the_sdks_own() -> None:
    assert stripe.api_version == "2026-08-26.dahlia"
