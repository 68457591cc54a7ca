"""``stripe trigger``, Stripe's own tool with Stripe's own fixtures, drives the webhook endpoint."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from house.people import client_for, make_user
from house.stripe_account import Account
from house.stripe_peer import KEY
from house.till import books_are_right, checkout, payment_of
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments.models import Chargeback, InboxEvent, Payment, Refund
from markethall.trade.orders.models import Order

pytestmark = pytest.mark.django_db

_HERE = Path(__file__).resolve().parent
# These post to another host of Stripe's, which no setting of the tool moves.
_ELSEWHERE = {"v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"}
_ABOUT_PAYMENTS = {
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
}
Trigger = Callable[..., list[str]]


@pytest.fixture(scope="session")
def tool() -> str:
    """Stripe's command-line tool from npm. Without Node.js its tests are skipped; where CI=true,
    they fail."""
    npm = shutil.which("npm")
    packages = _HERE / "node_modules" / "@stripe"
    if not packages.exists() and npm:
        command = [npm, "ci", "--ignore-scripts", "--loglevel=error"]
        subprocess.run(command, cwd=_HERE, check=False, timeout=300)
    found = sorted(packages.glob("cli-*/bin/stripe*"))
    if not found:
        missing = "Stripe's command-line tool is missing: `npm ci` in tests/stripe brings it."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return str(found[0])


@pytest.fixture
def run(tool: str, tmp_path: Path) -> Callable[..., str]:
    """Runs the tool, which can reach nobody but this machine; what it printed."""
    quiet = {"STRIPE_CLI_TELEMETRY_OPTOUT": "1", "STRIPE_NO_AUTO_UPDATE": "1"}
    apart = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    quick = {"GOGC": "off"}  # It ends before its memory fills up.
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}

    def act(*arguments: str) -> str:
        done = subprocess.run(
            [tool, *arguments],
            check=False,
            env={**quiet, **apart, **nowhere, **quick},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    return act


@pytest.fixture
def trigger(run: Callable[..., str], account: tuple[Account, str], sender: Any) -> Trigger:
    """Triggers an event: the tool runs its fixtures at the stand-in, and what came of them is sent
    to the webhook endpoint and settled. Returns the types that were sent."""
    made, address = account

    def act(event: str, *arguments: str) -> list[str]:
        made.news.clear()
        where = ["--api-base", address, "--api-key", KEY]
        assert "Trigger succeeded" in run("trigger", event, *where, *arguments)
        for type, thing in made.news:
            sender.tell(type, thing)
            settle_inbox()  # each for itself: of several, any may be settled first
        return [type for type, _ in made.news]

    return act


def triggers(run: Callable[..., str]) -> list[str]:
    """All events that the tool lists."""
    listed = run("trigger", "--help").split("Supported events:")[1].split("Usage:")[0]
    return re.findall(r"^  (\S+)$", listed, re.MULTILINE)


def opened() -> tuple[Any, Order, Payment]:
    """Somebody is about to pay $9.98 for two packs, on Stripe's page."""
    user = make_user()
    order = Order.objects.get(pk=checkout(client_for(user), quantity=2)["orderId"])
    return user, order, payment_of(order)


def own(trigger: Trigger, path: str, method: str = "post", **more: Any) -> list[str]:
    """Has the tool do one thing at Stripe to something of ours; the types that were sent."""
    step = {"name": "step", "path": f"/v1/{path}", "method": method, **more}
    fixtures = {"_meta": {"template_version": 0}, "fixtures": [step]}
    return trigger("payment_intent.created", "--raw", json.dumps(fixtures))


def confirmed(trigger: Trigger, card: str = "visa", **more: Any) -> tuple[Any, Order, Payment]:
    """Somebody opens a PaymentIntent at our API, and the tool confirms it at Stripe."""
    user = make_user()
    started = client_for(user).post("/api/payments/create-intent", {"item": "credits-50"}).json()
    payment = Payment.objects.get(pk=started["paymentId"])
    place = f"payment_intents/{payment.gateway_ref}/confirm"
    own(trigger, place, params={"payment_method": f"pm_card_{card}"}, **more)
    payment.refresh_from_db()
    return user, Order.objects.get(pk=started["orderId"]), payment


def outcomes() -> set[str]:
    return set(InboxEvent.objects.values_list("status", flat=True))


@pytest.mark.parametrize("event", sorted(_ABOUT_PAYMENTS))
def test_nothing_follows_from_what_another_application_does(trigger: Trigger, event: str) -> None:
    user, order, payment = opened()
    assert event in trigger(event)
    assert InboxEvent.objects.filter(type=event).exists() and outcomes() == {"ignored"}
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status) == ("PENDING", "pending")
    assert balance_of(user.pk).balance == 10
    assert not Refund.objects.exists() and not Chargeback.objects.exists()


@pytest.mark.slow
def test_every_other_event_that_the_tool_can_trigger_is_acknowledged(
    run: Callable[..., str], trigger: Trigger, account: tuple[Account, str], sender: Any
) -> None:
    user, order, _ = opened()
    names = set(triggers(run)) - _ELSEWHERE
    assert names > _ABOUT_PAYMENTS
    names -= _ABOUT_PAYMENTS  # which the test above tries
    assert len(names) > 90
    for name in sorted(names):
        if name not in trigger(name):  # The stand-in does not know what leads to it.
            sender.tell(name, account[0].last)
    settle_inbox()
    seen = set(InboxEvent.objects.values_list("type", flat=True))
    assert seen >= names and outcomes() == {"ignored"}
    order.refresh_from_db()
    assert (order.status, balance_of(user.pk).balance) == ("PENDING", 10)
    assert books_are_right()


def test_our_intent_that_the_tool_confirms_is_settled_once(trigger: Trigger) -> None:
    user, order, payment = confirmed(trigger)
    assert (order.status, payment.status) == ("FULFILLED", "succeeded")
    told = InboxEvent.objects.values_list("type", "status")
    assert sorted(told) == [
        ("charge.succeeded", "settled"),
        ("payment_intent.succeeded", "ignored"),
    ]
    assert balance_of(user.pk).balance == 60
    assert books_are_right()


def test_our_card_that_is_declined_leaves_the_order_to_be_paid(trigger: Trigger) -> None:
    user, order, payment = confirmed(
        trigger, "visa_chargeDeclined", expected_error_type="card_error"
    )
    assert (order.status, payment.failure) == ("PAYMENT_FAILED", "Your card was declined.")
    assert balance_of(user.pk).balance == 10


@pytest.mark.parametrize(
    ("given", "amount", "status"),
    [([], 499, "REFUNDED"), (["--add", "refund:amount=100"], 100, "FULFILLED")],
    ids=["all", "part"],
)
def test_our_money_that_the_tool_gives_back_is_booked(
    trigger: Trigger, given: list[str], amount: int, status: str
) -> None:
    _, order, payment = confirmed(trigger)
    ours = ["--skip", "payment_intent", "--override", f"refund:payment_intent={payment.charge_ref}"]
    assert {"charge.refunded", "refund.created"} <= set(trigger("charge.refunded", *ours, *given))
    order.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.amount, refund.status, order.status) == (amount, "succeeded", status)
    assert books_are_right()


@pytest.mark.parametrize(
    ("card", "is_gone"), [("createDispute", True), ("createDisputeInquiry", False)]
)
def test_a_dispute_of_our_money_stands_on_the_payment(
    trigger: Trigger, card: str, is_gone: bool
) -> None:
    _, _, payment = confirmed(trigger, card)
    chargeback = Chargeback.objects.get(payment=payment)
    assert (chargeback.amount, chargeback.withdrawn) == (499, is_gone)
    assert InboxEvent.objects.get(type="charge.dispute.created").status == "settled"
    assert books_are_right()


def test_our_page_that_expires_closes_the_order(trigger: Trigger) -> None:
    _, order, payment = opened()
    sent = own(trigger, f"checkout/sessions/{payment.gateway_ref}/expire")
    assert sent == ["checkout.session.expired"] and outcomes() == {"settled"}
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status) == ("CANCELLED", "cancelled")


def test_our_customer_whom_somebody_deletes_there_is_made_anew(
    trigger: Trigger, account: tuple[Account, str]
) -> None:
    user, _, payment = opened()
    customer = account[0].get(payment.gateway_ref)["customer"]
    assert own(trigger, f"customers/{customer}", "delete") == ["customer.deleted"]
    assert outcomes() == {"settled"}
    again = payment_of(Order.objects.get(pk=checkout(client_for(user))["orderId"]))
    assert account[0].get(again.gateway_ref)["customer"] not in ("", customer)


@pytest.mark.parametrize(
    ("event", "step", "price"),
    [
        ("payment_intent.succeeded", "payment_intent", "payment_intent:amount=998"),
        ("checkout.session.completed", "checkout_session", "price:unit_amount=499"),
    ],
)
@pytest.mark.parametrize("asked", [True, False], ids=["our amount", "another amount"])
def test_a_stranger_who_names_our_payment_pays_for_nothing(
    trigger: Trigger, event: str, step: str, price: str, asked: bool
) -> None:
    """The money lies at another intent or session than ours: the event is a hint, no more."""
    user, order, payment = opened()
    changes = ["--add", f"{step}:metadata.paymentId={payment.pk}"]
    if asked:
        changes += ["--override", price]
    if asked and step == "checkout_session":
        changes += ["--override", "payment_page_confirm:expected_amount=998"]
    trigger(event, *changes)
    told = InboxEvent.objects.get(type=event)
    if not asked:
        assert (told.status, "$9.98 was asked for" in told.outcome) == ("parked", True)
    elif step == "payment_intent":
        assert (told.status, "still open" in told.outcome) == ("ignored", True)
    else:
        assert told.status == "received"
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, payment.status) == ("PENDING", "pending")
    assert balance_of(user.pk).balance == 10
    assert books_are_right()
