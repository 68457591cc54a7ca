"""Money of another amount or currency than was asked for pays for nothing, is shown to staff, and
ends by their press of a button; at every gateway."""

from __future__ import annotations

from typing import Any

import pytest

from house.gates import Gate
from house.people import client_for, make_user, page_client
from house.till import books_are_right, checkout
from markethall.flows import comparison, mismatches, refunds
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.queries import balance_of, system_balance
from markethall.foundation.payments.errors import NothingToDecide
from markethall.foundation.payments.models import InboxEvent, InboxStatus, Payment, Refund
from markethall.kernel.money import Money
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


def pay(gate: Gate, money: Money, *, tell: bool = True) -> tuple[User, Order, Payment]:
    """Somebody starts to pay $4.99, and ``money`` arrives."""
    user = make_user()
    started = checkout(client_for(user))
    payment = Payment.objects.get(pk=started["paymentId"])
    for told in gate.pay(payment, money=money):
        if tell:
            assert gate.send(told).status_code == 200
    settle_inbox()
    return user, Order.objects.get(pk=started["orderId"]), payment


def place(payment: Payment, act: str = "") -> str:
    return f"/console/payments/{payment.pk}{act}"


OTHERS = [Money(1, "USD"), Money(600, "USD"), Money(499, "EUR")]


@pytest.mark.parametrize("money", OTHERS, ids=str)
def test_it_is_parked_shown_and_given_back(gate: Gate, money: Money) -> None:
    user, order, payment = pay(gate, money)
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("PENDING", 10)
    parked = InboxEvent.objects.filter(status=InboxStatus.PARKED)
    assert parked.exists()

    staff = page_client(make_user(role=Role.FINANCE))
    event = parked.order_by("-pk")[0]
    assert place(payment) in staff.get(f"/console/inbox/{event.pk}").content.decode()
    page = staff.get(place(payment)).content.decode()
    assert str(money) in page and "Give it back" in page and "Accept it" in page

    assert staff.post(place(payment, "/give-back")).status_code == 302
    assert gate.gone_back() == money.amount
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("PENDING", 10)
    assert not parked.exists()
    assert "Give it back" not in staff.get(place(payment)).content.decode()
    assert system_balance(accounts.gateway(gate.name, money.currency)) == 0
    assert books_are_right()
    entry = AuditEntry.objects.get(action="payments.mismatch_returned")
    assert (entry.subject_id, entry.data["paid"]) == (str(order.pk), str(money))

    assert page_client(user).post(f"/orders/{order.pk}/pay").status_code == 303
    again = Payment.objects.exclude(pk=payment.pk).get(reference=order.pk)
    for told in gate.pay(again):
        gate.send(told)
    settle_inbox()
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("FULFILLED", 60)


def test_more_than_the_order_costs_can_be_accepted(gate: Gate) -> None:
    user, order, payment = pay(gate, Money(600, "USD"))
    staff = page_client(make_user(role=Role.FINANCE))
    assert staff.post(place(payment, "/accept")).status_code == 302
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("FULFILLED", 60)
    assert gate.gone_back() == 101
    assert system_balance(accounts.gateway(gate.name, "USD")) == 499
    assert system_balance(accounts.owed("USD")) == 0
    assert not InboxEvent.objects.filter(status=InboxStatus.PARKED).exists()
    assert staff.post(place(payment, "/accept")).status_code == 409

    rest = refunds.refund_order(order_id=order.pk, amount=None, reason="Sorry", actor_id=user.pk)
    assert (rest.amount, rest.status) == (499, "succeeded")
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("REFUNDED", 10)
    assert not comparison.run(comparison.open_one(actor_id=None).pk).differences.exists()
    assert books_are_right()


@pytest.mark.parametrize("money", [Money(498, "USD"), Money(499, "EUR")], ids=str)
def test_what_does_not_cover_the_order_cannot_be_accepted(gate: Gate, money: Money) -> None:
    user, order, payment = pay(gate, money)
    with pytest.raises(NothingToDecide, match="does not pay for"):
        mismatches.accept(payment_id=payment.pk, actor_id=user.pk)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status, payment.money) == (
        "PENDING",
        "pending",
        Money(499, "USD"),
    )
    assert gate.gone_back() == 0


def test_a_cancelled_order_takes_no_other_amount(gate: Gate) -> None:
    user, order, payment = pay(gate, Money(600, "USD"))
    assert client_for(user).post(f"/api/orders/{order.pk}/cancel").status_code == 200
    with pytest.raises(NothingToDecide, match="cancelled"):
        mismatches.accept(payment_id=payment.pk, actor_id=user.pk)
    mismatches.give_back(payment_id=payment.pk, actor_id=user.pk)
    assert gate.gone_back() == 600 and books_are_right()


def test_a_claim_that_is_not_true_is_settled_by_what_is(gate: Gate) -> None:
    user = make_user()
    started = checkout(client_for(user))
    payment = Payment.objects.get(pk=started["paymentId"])
    gate.send(gate.claim(gate.pay(payment)[-1], 1))
    settle_inbox()
    assert InboxEvent.objects.get().status == InboxStatus.PARKED
    assert balance_of(user.pk).balance == 10
    with pytest.raises(NothingToDecide, match="Accept it"):
        mismatches.give_back(payment_id=payment.pk, actor_id=user.pk)
    assert mismatches.accept(payment_id=payment.pk, actor_id=user.pk) is None
    assert InboxEvent.objects.get().status == InboxStatus.SETTLED
    assert balance_of(user.pk).balance == 60 and gate.gone_back() == 0


def test_one_that_no_webhook_told_of_is_decided_from_the_comparison(gate: Gate) -> None:
    _, _, payment = pay(gate, Money(600, "USD"), tell=False)
    item = comparison.run(comparison.open_one(actor_id=None).pk).differences.get()
    staff = make_user(role=Role.FINANCE)
    mended = comparison.heal_difference(difference_id=item.pk, actor_id=staff.pk)
    assert mended.healed_at is None and "Open the payment" in mended.outcome
    assert "$6.00" in page_client(staff).get(place(payment)).content.decode()
    mismatches.give_back(payment_id=payment.pk, actor_id=staff.pk)
    item.refresh_from_db()
    assert item.healed_at and gate.gone_back() == 600
    assert not comparison.run(comparison.open_one(actor_id=None).pk).differences.exists()


def test_only_who_may_refund_decides(gate: Gate) -> None:
    _, _, payment = pay(gate, Money(1, "USD"))
    for role in (Role.CUSTOMER, Role.LOGISTICS):
        client = page_client(make_user(role=role))
        for act in ("/give-back", "/accept"):
            assert client.post(place(payment, act)).status_code in (403, 404)
    assert not Refund.objects.exists()


def test_a_payment_that_is_not_made_has_nothing_to_decide(gate: Gate) -> None:
    user = make_user()
    payment = Payment.objects.get(pk=checkout(client_for(user))["paymentId"])
    for act in (mismatches.give_back, mismatches.accept):
        with pytest.raises(NothingToDecide, match="no money is there"):
            act(payment_id=payment.pk, actor_id=user.pk)


def test_an_excess_that_could_not_be_sent_is_not_given_twice(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, order, payment = pay(gate, Money(600, "USD"))

    def failed(refund_id: Any) -> Refund:
        refund = Refund.objects.select_related("payment").get(pk=refund_id)
        refunds.mark_refund_failed(refund, refund.payment, "The bank does not take it.")
        return refund

    with monkeypatch.context() as patch:
        patch.setattr(refunds, "send", failed)
        mismatches.accept(payment_id=payment.pk, actor_id=user.pk)
    rest = refunds.refund_order(order_id=order.pk, amount=None, reason="Sorry", actor_id=user.pk)
    assert rest.amount == 499
    excess = Refund.objects.exclude(pk=rest.pk).get()
    assert refunds.retry(refund_id=excess.pk, actor_id=user.pk).status == "succeeded"
    assert gate.gone_back() == 600 and books_are_right()


def route(payment: Payment, act: str) -> str:
    return f"/api/payments/{payment.pk}/{act}"


def test_the_api_gives_back_once(gate: Gate) -> None:
    _, _, payment = pay(gate, Money(600, "USD"))
    staff = client_for(make_user(role=Role.FINANCE))
    shown = staff.get(route(payment, "mismatch")).json()
    assert shown["payment"]["id"] == str(payment.pk)
    assert any("$6.00" in sentence for sentence in shown["evidence"])
    key = {"Idempotency-Key": "back-1"}
    first, again = (staff.post(route(payment, "give-back"), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200), first.content
    assert again.headers["Idempotent-Replayed"] == "true" and again.json() == first.json()
    body = first.json()
    assert body["payment"]["orderStatus"] == "PENDING"
    assert (body["refund"]["status"], body["refund"]["amount"]["amount"]) == ("succeeded", 600)
    assert gate.gone_back() == 600 and books_are_right()
    assert staff.get(route(payment, "mismatch")).json()["evidence"] == []
    late = staff.post(route(payment, "give-back"))
    assert (late.status_code, late.json()["code"]) == (409, "nothing_to_decide")


def test_the_api_accepts_what_covers_the_order(gate: Gate) -> None:
    user, _, payment = pay(gate, Money(600, "USD"))
    staff = client_for(make_user(role=Role.FINANCE))
    body = staff.post(route(payment, "accept")).json()
    assert body["payment"]["orderStatus"] == "FULFILLED"
    assert body["refund"]["amount"]["amount"] == gate.gone_back() == 101
    assert balance_of(user.pk).balance == 60 and books_are_right()


def test_the_api_says_what_cannot_be_decided(gate: Gate) -> None:
    user, _, payment = pay(gate, Money(1, "USD"))
    staff = client_for(make_user(role=Role.FINANCE))
    refused = staff.post(route(payment, "accept"))
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_decide")
    assert client_for(user).post(route(payment, "give-back")).status_code == 403
    assert client_for(user).get(route(payment, "mismatch")).status_code == 403
    gate.go_down()
    assert staff.post(route(payment, "give-back")).status_code == 503
    gate.come_back()
    unknown = f"/api/payments/{user.pk}/give-back"
    assert staff.post(unknown).json()["code"] == "payment_not_found"
    assert gate.gone_back() == 0
