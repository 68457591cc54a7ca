"""From a purchase to its refund, by the calendar."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from house.people import client_for, make_user
from house.till import (
    books_are_right,
    checkout,
    deliver_and_settle,
    press,
)
from markethall.flows.comparison import sweep
from markethall.flows.receipts import issue_receipt
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.actions import capture_hold, open_hold
from markethall.foundation.ledger.queries import balance_of, system_balance
from markethall.foundation.messaging.models import Mail
from markethall.trade.orders.models import Order


@pytest.mark.django_db
def test_a_month_of_a_customer(till: None, turn_clock: Callable[[timedelta], None]) -> None:
    ada = make_user(name="Ada")
    client = client_for(ada)
    day = timedelta(days=1)

    # 1st: Ada puts 200 credits into an order, and closes the gateway's page.
    left = checkout(client, "credits-200")
    press(left, "abandoned")
    deliver_and_settle()
    assert client.get(f"/api/orders/{left['orderId']}").json()["status"] == "CANCELLED"

    # 2nd: she comes back. The first card is declined, the second one works.
    turn_clock(day)
    started = checkout(client, "credits-200")
    press(started, "declined")
    deliver_and_settle()
    assert Mail.objects.filter(template="payment_failed", to=ada.email).count() == 1
    again = client.post("/api/payments/create-checkout", {"orderId": started["orderId"]}).json()
    press(again)
    deliver_and_settle()
    order = Order.objects.get(pk=started["orderId"])
    assert (order.status, balance_of(ada.pk).balance) == ("FULFILLED", 210)
    issue_receipt(order.pk)
    assert Mail.objects.filter(template="order_receipt", to=ada.email).count() == 1

    # 5th: a small pack; the gateway's webhook is lost, and found by asking.
    turn_clock(3 * day)
    small = checkout(client, "credits-50")
    press(small)
    assert balance_of(ada.pk).balance == 210
    turn_clock(timedelta(minutes=15))
    sweep()
    assert balance_of(ada.pk).balance == 260

    # 20th: she has spent 110.
    turn_clock(15 * day)
    capture_hold(open_hold(user_id=ada.pk, amount=110, key=f"test:{uuid.uuid4()}"))
    assert balance_of(ada.pk).balance == 150

    # 21st: finance gives half of the large pack back, and the rest on the 25th.
    turn_clock(day)
    finance = client_for(make_user(role=Role.FINANCE))
    refund = f"/api/orders/{order.pk}/refund"
    half = finance.post(refund, {"amount": 750, "reason": "Goodwill"}).json()
    assert half["takenBack"] == [{"item": "credits-200", "due": 100, "taken": 100, "missing": 0}]
    turn_clock(4 * day)
    rest = finance.post(refund, {"reason": "Goodwill"}).json()
    assert rest["amount"] == {"amount": 749, "currency": "USD"}
    assert rest["takenBack"] == [{"item": "credits-200", "due": 100, "taken": 50, "missing": 50}]
    deliver_and_settle()

    # The end: one order refunded, one kept, and the books say so. Her session ended long ago.
    client = client_for(ada)
    assert client.get(f"/api/orders/{order.pk}").json()["status"] == "REFUNDED"
    assert balance_of(ada.pk).balance == 0
    assert system_balance(accounts.gateway("sandbox", "USD")) == 499
    assert system_balance(accounts.sales("plushify", "USD")) == -499
    history = [row["type"] for row in client.get("/api/credits/history").json()["items"]]
    assert history == ["refund", "refund", "deduction", "purchase", "purchase", "bonus"]
    assert books_are_right()
