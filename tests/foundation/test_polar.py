"""Polar, by its own SDK against a stand-in on loopback."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.urls import get_resolver

from house.parallel import together
from house.people import client_for, make_user
from house.polar import SECRET, StandIn, tell
from house.till import books_are_right, checkout, old, payment_of
from markethall.flows import comparison, customers, refunds
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.models import Transaction
from markethall.foundation.ledger.queries import balance_of, system_balance
from markethall.foundation.payments.errors import GatewayUnavailable
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.polar import setup
from markethall.foundation.payments.models import (
    InboxEvent,
    InboxStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundCause,
    RefundStatus,
)
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


@pytest.fixture
def polar(settings: Any, till: None) -> Iterator[StandIn]:
    assert get_resolver().url_patterns  # the addresses of a sandbox hall, for the other tests
    stand_in = StandIn()
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={
            "payment_gateway": "polar",
            "polar_access_token": "polar_oat_test",
            "polar_webhook_secret": SECRET,
            "polar_api_base": stand_in.url,
        }
    )
    setup.forget()
    yield stand_in
    stand_in.close()


def start(user: User) -> tuple[dict[str, Any], Payment]:
    started = checkout(client_for(user))
    return started, Payment.objects.get(pk=started["paymentId"])


def buy(polar: StandIn, user: User, **how: Any) -> tuple[Order, dict[str, Any]]:
    started, payment = start(user)
    order = polar.pay(payment.gateway_ref, **how)
    assert tell("order.paid", order).status_code == 200
    settle_inbox()
    return Order.objects.get(pk=started["orderId"]), order


def give_back(order: Order, amount: int | None = None) -> Refund:
    return refunds.refund_order(
        order_id=order.pk, amount=amount, reason="Sorry", actor_id=uuid.uuid4()
    )


class TestPaying:
    def test_order_paid_fulfils(self, polar: StandIn) -> None:
        user = make_user()
        order, theirs = buy(polar, user)
        assert (order.status, balance_of(user.pk).balance) == ("FULFILLED", 60)
        payment = payment_of(order)
        assert payment.charge_ref == theirs["id"]
        (made,) = polar.rows("checkouts").values()
        assert (made["amount"], made["metadata"]["paymentId"]) == (499, str(payment.pk))
        assert made["customer_id"] in polar.rows("customers")
        assert system_balance(accounts.gateway("polar", "USD")) == 499
        assert books_are_right()

    @pytest.mark.parametrize("how", [{"tax": 95}, {"tax": 80, "inclusive": True}])
    def test_tax_is_no_other_amount(self, polar: StandIn, how: dict[str, Any]) -> None:
        order, theirs = buy(polar, make_user(), **how)
        assert order.status == "FULFILLED"
        assert give_back(order, 200).status == RefundStatus.SUCCEEDED
        assert give_back(order).status == RefundStatus.SUCCEEDED
        assert polar.rows("orders")[theirs["id"]]["refundable_amount"] == 0
        assert system_balance(accounts.gateway("polar", "USD")) == 0

    def test_another_amount_is_parked(self, polar: StandIn) -> None:
        user = make_user()
        _, payment = start(user)
        polar.rows("checkouts")[payment.gateway_ref]["amount"] = 1
        tell("order.paid", polar.pay(payment.gateway_ref))
        settle_inbox()
        assert InboxEvent.objects.get().status == InboxStatus.PARKED
        assert balance_of(user.pk).balance == 10

    def test_an_event_before_the_payment_changes_nothing(self, polar: StandIn) -> None:
        started, payment = start(make_user())
        tell("checkout.updated", polar.rows("checkouts")[payment.gateway_ref])
        settle_inbox()
        assert Order.objects.get(pk=started["orderId"]).status == "PENDING"
        polar.rows("checkouts")[payment.gateway_ref]["status"] = "expired"
        tell("checkout.expired", polar.rows("checkouts")[payment.gateway_ref])
        settle_inbox()
        assert Order.objects.get(pk=started["orderId"]).status == "CANCELLED"

    def test_intents_are_refused_clearly(self, polar: StandIn) -> None:
        answer = client_for(make_user()).post("/api/payments/create-intent", {"item": "credits-50"})
        assert (answer.status_code, answer.json()["code"]) == (409, "gateway_refused")
        assert "own page" in answer.json()["detail"]

    @pytest.mark.parametrize("failing", [[502, 502, 502] * 2, [429] * 2])
    def test_an_outage_is_a_clear_503(self, polar: StandIn, failing: list[int]) -> None:
        client = client_for(make_user())
        polar.failing = list(failing)
        answer = client.post("/api/payments/create-checkout", {"item": "credits-50"})
        assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
        assert Order.objects.get().status == "PENDING"


class TestOnce:
    def test_one_payment_reported_in_every_way_at_once(
        self, transactional_db: None, polar: StandIn
    ) -> None:
        """R1: doubled, reordered and parallel deliveries, and other events of the same order."""
        user = make_user()
        started, payment = start(user)
        order = polar.pay(payment.gateway_ref)
        kinds = ("order.created", "order.updated", "order.paid")
        acts: list[Callable[[], Any]] = [settle_inbox] * 3
        acts += [
            lambda kind=kind: tell(kind, order, event_id=f"evt-{kind}").status_code
            for kind in kinds * 8
        ]
        assert not [one for one in together(acts) if isinstance(one, Exception)]
        settle_inbox()
        assert InboxEvent.objects.count() == 3
        assert InboxEvent.objects.get(type="order.paid").deliveries == 8
        assert balance_of(user.pk).balance == 60
        found = Transaction.objects.filter(reference=f"order:{started['orderId']}")
        assert sorted(found.values_list("kind", flat=True)) == ["payment", "purchase"]
        assert books_are_right()

    def test_a_refund_whose_answer_was_lost_is_found_and_not_repeated(self, polar: StandIn) -> None:
        order, theirs = buy(polar, make_user())
        polar.swallow = "refunds"
        with pytest.raises(GatewayUnavailable):
            give_back(order, 100)
        polar.swallow = ""
        assert refunds.send(Refund.objects.get().pk).status == RefundStatus.SUCCEEDED
        assert len(polar.rows("refunds")) == 1
        assert polar.rows("orders")[theirs["id"]]["refundable_amount"] == 399

    def test_one_refund_asked_for_at_once_goes_once(
        self, transactional_db: None, polar: StandIn
    ) -> None:
        order, _ = buy(polar, make_user())
        polar.swallow = "refunds"
        with pytest.raises(GatewayUnavailable):
            give_back(order, 100)
        polar.swallow, polar.kept["refunds"] = "", {}
        refund = Refund.objects.get()
        together([lambda: refunds.send(refund.pk)] * 4)
        assert len(polar.rows("refunds")) == 1

    def test_a_refund_by_hand_is_taken_over_by_its_event(self, polar: StandIn) -> None:
        user = make_user(credits=0)
        order, theirs = buy(polar, user)
        made = polar.give_back(theirs["id"], 499)
        for _ in range(2):
            tell("refund.created", made)
            tell("order.refunded", polar.rows("orders")[theirs["id"]])
            settle_inbox()
        order.refresh_from_db()
        assert (order.status, balance_of(user.pk).balance) == ("REFUNDED", 0)
        assert Refund.objects.get().cause == RefundCause.GATEWAY


class TestReconciling:
    def test_what_no_webhook_told_is_healed(self, polar: StandIn) -> None:
        """R5: paid, never recorded as opened, given back by hand; no webhook comes."""
        user = make_user(credits=0)
        _, payment = start(user)
        theirs = polar.pay(payment.gateway_ref, tax=50)
        Payment.objects.update(gateway_ref="", status=PaymentStatus.CREATED)
        polar.give_back(theirs["id"], 200)
        run = comparison.run(comparison.open_one(actor_id=None).pk)
        assert all(gateway["answered"] for gateway in run.gateways), run.gateways
        assert not run.differences.exists()
        order = Order.objects.get()
        assert (order.status, order.refunded) == ("FULFILLED", 200)
        assert system_balance(accounts.gateway("polar", "USD")) == 299
        assert books_are_right()

    def test_doctor_s_probe_says_who_answers(self, polar: StandIn) -> None:
        assert "Polar answers" in registry.named("polar").probe()


class TestCustomers:
    def test_a_customer_is_found_shown_the_portal_and_forgotten(self, polar: StandIn) -> None:
        user = make_user()
        ref = customers.customer_of(user.pk, "polar")
        (known,) = polar.rows("customers").values()
        assert (known["id"], known["external_id"]) == (ref, str(user.pk))
        assert customers.open_portal(user=user, return_url="http://testserver/x").startswith(
            polar.url
        )
        customers.forget(user.pk)
        assert polar.rows("customers") == {}

    def test_a_customer_whose_making_was_not_recorded_is_found(self, polar: StandIn) -> None:
        user = make_user()
        ref = customers.customer_of(user.pk, "polar")
        customers.GatewayCustomer.objects.update(ref="")
        assert customers.customer_of(user.pk, "polar") == ref


class TestSignatures:
    """R10."""

    @pytest.mark.parametrize(
        "how", [{"secret": "polar_whs_other"}, {"at": "old"}, {"body": '{"type": "order.paid"}'}]
    )
    def test_what_polar_did_not_sign_is_refused(self, polar: StandIn, how: dict[str, Any]) -> None:
        at: datetime | None = old() if how.pop("at", None) else None
        answer = tell("order.paid", {"id": "x"}, at=at, **how)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
        assert not InboxEvent.objects.exists()

    def test_without_a_secret_nothing_is_believed(self, settings: Any, polar: StandIn) -> None:
        settings.ENVIRONMENT.polar_webhook_secret = None
        assert tell("order.paid", {"id": "x"}).status_code == 400

    def test_an_order_of_another_application_is_left_alone(self, polar: StandIn) -> None:
        tell("order.paid", {"id": "x", "checkout_id": "y", "metadata": {}})
        settle_inbox()
        assert InboxEvent.objects.get().status == InboxStatus.IGNORED
