"""Chargebacks at the sandbox gateway: told by its webhooks, booked and shown like any other."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from house.people import make_user, page_client
from house.till import books_are_right, buy, deliver_and_settle, payment_of
from markethall.flows import refunds
from markethall.flows.staff_alerts import tell_staff
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.models import Chargeback, InboxEvent, Payment, Refund
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


@pytest.fixture
def bought() -> tuple[Any, Order, Payment]:
    user = make_user()
    order = buy(user)
    return user, order, payment_of(order)


def step(payment: Payment, name: str, *, settle: bool = True) -> Any:
    """The payer's bank does this; the shop hears of it."""
    path = f"/sandbox/pay/{payment.gateway_ref}/dispute"
    answer = Client().post(path, {"step": name}, content_type="application/json")
    if settle:
        deliver_and_settle()
    return answer


def test_a_dispute_takes_the_money_until_the_bank_has_decided(bought: Any) -> None:
    user, order, payment = bought
    assert step(payment, "opened").json() == {"dispute": "needs_response"}
    chargeback = Chargeback.objects.get(payment=payment)
    assert (chargeback.status, chargeback.amount, chargeback.withdrawn) == (
        "needs_response",
        499,
        True,
    )
    assert chargeback.due_by is not None
    assert InboxEvent.objects.get(type="dispute.opened").status == "settled"
    assert step(payment, "won").json() == {"dispute": "won"}
    chargeback.refresh_from_db()
    assert (chargeback.status, chargeback.withdrawn) == ("won", False)
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("FULFILLED", 60)
    assert books_are_right()


def test_a_lost_dispute_takes_back_what_was_bought(bought: Any) -> None:
    user, order, payment = bought
    step(payment, "opened")
    step(payment, "lost")
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("REFUNDED", 10)
    assert Chargeback.objects.get().status == "lost"
    assert books_are_right()


def test_late_and_repeated_news_end_in_the_same_state(bought: Any) -> None:
    _, _, payment = bought
    step(payment, "opened", settle=False)
    step(payment, "opened", settle=False)
    step(payment, "lost", settle=False)
    step(payment, "won", settle=False)
    deliver_and_settle()
    assert Chargeback.objects.get().status == "lost"
    assert books_are_right()


def test_what_makes_no_sense_is_refused(bought: Any) -> None:
    _, order, payment = bought
    assert step(payment, "won").status_code == 409
    assert step(payment, "paid").status_code == 422
    unknown = Client().post("/sandbox/pay/none/dispute", {"step": "opened"}, "application/json")
    assert unknown.status_code == 404
    step(payment, "opened")
    back = _refund(order)
    assert back.status == "failed" and "bank" in back.failure
    assert books_are_right()


def test_what_has_gone_back_is_not_disputed(bought: Any) -> None:
    _, order, payment = bought
    _refund(order)
    assert step(payment, "opened").status_code == 409
    assert not Chargeback.objects.exists()


def test_the_pages_show_it_and_staff_is_told(bought: Any) -> None:
    _, _, payment = bought
    place = f"/sandbox/pay/{payment.gateway_ref}"
    assert "Dispute this payment" in Client().get(place).content.decode()
    pressed = Client().post(f"{place}/dispute", {"step": "opened"})
    assert (pressed.status_code, pressed.headers["Location"]) == (303, place)
    deliver_and_settle()
    assert "decide for the payer" in Client().get(place).content.decode()
    admin = make_user(role="admin")
    desk = page_client(admin)
    listed = desk.get("/console/chargebacks?status=needs_response").content.decode()
    assert f"/console/payments/{payment.pk}" in listed and "$4.99" in listed
    assert str(payment.pk) not in desk.get("/console/chargebacks?status=lost").content.decode()
    detail = desk.get(f"/console/payments/{payment.pk}").content.decode()
    assert f"http://testserver{place}" in detail and "Answer it at the gateway" in detail
    assert "chargeback waits for an answer" in desk.get("/console/todo").content.decode()
    assert tell_staff() == 1
    assert "chargebacks" in Mail.objects.get(template="staff_alert", to=admin.email).text


def _refund(order: Order) -> Refund:
    finance = make_user(role="finance")
    return refunds.refund_order(
        order_id=order.pk, amount=None, reason="Sorry", actor_id=finance.pk, key="sorry"
    )
