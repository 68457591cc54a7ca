"""The three gateways behind one face, for what must hold of each: a customer who pays there, the
webhooks that tell of it, and a gateway that is down."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from django.conf import settings
from django.test import Client

import stripe
from house import polar, stripe_peer, till
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.polar import client as polar_client
from markethall.foundation.payments.gateways.polar import setup as polar_setup
from markethall.foundation.payments.gateways.sandbox import counter, outage
from markethall.foundation.payments.gateways.stripe import connection
from markethall.foundation.payments.models import Payment, SandboxCheckout
from markethall.kernel.money import Money

STRIPE_SECRET = "whsec_for_tests"


@dataclass(frozen=True, slots=True)
class Told:
    """One event as a gateway tells it: in every delivery with the same id."""

    id: str
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """How a delivery is not what the gateway sent."""

    secret: str = ""
    at: datetime | None = None
    body: str = ""


NO_FAULT = Fault()


class Gate(Protocol):
    """A gateway's own side."""

    name: str
    intents: bool

    def pay(self, payment: Payment, *, money: Money | None = None) -> list[Told]:
        """Somebody pays there, another sum than was asked for when ``money`` is given; every
        event that tells of it, the steps on the way too, in the order they happen."""

    def give_back(self, payment: Payment, amount: int) -> list[Told]:
        """Somebody gives money back on the gateway's own pages; the events of it."""

    def dispute(self, payment: Payment) -> list[Told]:
        """The payer's bank wants the money back; the events of it, if the gateway tells any."""

    def decide(self, payment: Payment, *, for_shop: bool) -> list[Told]:
        """The bank decides; the events of it, if the gateway tells any."""

    def claim(self, told: Told, amount: int) -> Told:
        """The same event with another amount in it."""

    def send(self, told: Told, fault: Fault = NO_FAULT) -> Any:
        """Deliver an event; the answer."""

    def gone_back(self) -> int:
        """What has been given back there, in minor units."""

    def opened(self) -> int:
        """How many payment pages stand there."""

    def go_down(self) -> None:
        """Answer nothing, and tell nothing, from now on."""

    def come_back(self) -> None:
        """Answer again."""

    def asked(self) -> int:
        """How often it has been asked something."""


@dataclass
class SandboxGate:
    name: str = "sandbox"
    intents: bool = True

    def pay(self, payment: Payment, *, money: Money | None = None) -> list[Told]:
        if money:
            SandboxCheckout.objects.filter(pk=payment.gateway_ref).update(
                amount=money.amount, currency=money.currency
            )
        counter.pay(payment.gateway_ref)
        told = self._told()
        early = [Told(f"{one.id}_early", "payment.processing", one.data) for one in told]
        return [*early, *told]

    def give_back(self, payment: Payment, amount: int) -> list[Told]:
        money = Money(amount, payment.currency)
        key = f"{payment.pk.hex}{amount}"
        counter.give_back(payment.gateway_ref, key=key, money=money, refund_id="")
        return self._told()

    def dispute(self, payment: Payment) -> list[Told]:
        counter.dispute(payment.gateway_ref)
        return self._told()

    def decide(self, payment: Payment, *, for_shop: bool) -> list[Told]:
        counter.decide(payment.gateway_ref, for_shop=for_shop)
        return self._told()

    def claim(self, told: Told, amount: int) -> Told:
        return Told(told.id, told.type, {**told.data, "amount": amount})

    def send(self, told: Told, fault: Fault = NO_FAULT) -> Any:
        event = {"id": told.id, "type": told.type, "data": told.data}
        return till.post_event(event, at=fault.at, secret=fault.secret, body=fault.body)

    def gone_back(self) -> int:
        return sum(SandboxCheckout.objects.values_list("refunded", flat=True))

    def opened(self) -> int:
        return SandboxCheckout.objects.count()

    def go_down(self) -> None:
        outage.begin(timedelta(days=1))

    def come_back(self) -> None:
        outage.end()

    def asked(self) -> int:
        return 0

    def _told(self) -> list[Told]:
        return [Told(event["id"], event["type"], event["data"]) for event in till.told()]


@dataclass
class StripeGate:
    peer: stripe_peer.Peer
    name: str = "stripe"
    intents: bool = True

    def pay(self, payment: Payment, *, money: Money | None = None) -> list[Told]:
        session = self.peer.get(payment.gateway_ref)
        if money:
            session["currency"] = money.currency.lower()
        session = self.peer.pay(session["id"], amount=money.amount if money else None)
        intent = self.peer.get(session["payment_intent"])
        charges = [t for t in self.peer.things.values() if t["object"] == "charge"]
        return [
            self._event("payment_intent.created", {**intent, "status": "processing"}),
            self._event("payment_intent.processing", {**intent, "status": "processing"}),
            self._event("charge.succeeded", charges[-1]),
            self._event("payment_intent.succeeded", intent),
            self._event("checkout.session.completed", session),
        ]

    def give_back(self, payment: Payment, amount: int) -> list[Told]:
        intent = self.peer.get(payment.gateway_ref)["payment_intent"]
        refund = self.peer.give_back(intent, amount)
        names = ("refund.created", "charge.refunded", "charge.refund.updated", "refund.updated")
        return [self._event(name, refund) for name in names]

    def dispute(self, payment: Payment) -> list[Told]:
        made = self.peer.dispute(self.peer.get(payment.gateway_ref)["payment_intent"])
        return [self._event("charge.dispute.created", made)]

    def decide(self, payment: Payment, *, for_shop: bool) -> list[Told]:
        intent = self.peer.get(payment.gateway_ref)["payment_intent"]
        disputes = [t for t in self.peer.things.values() if t["object"] == "dispute"]
        (dispute,) = [one for one in disputes if one["payment_intent"] == intent]
        self.peer.decide(dispute, for_shop=for_shop)
        return [self._event("charge.dispute.closed", dispute)]

    def claim(self, told: Told, amount: int) -> Told:
        data = json.loads(json.dumps(told.data))
        for name in ("amount", "amount_total"):
            if name in data["object"]:
                data["object"][name] = amount
        return Told(told.id, told.type, data)

    def send(self, told: Told, fault: Fault = NO_FAULT) -> Any:
        event = {"id": told.id, "type": told.type, "object": "event", "data": told.data}
        event["api_version"] = stripe.api_version
        text = json.dumps(event)
        at = int(fault.at.timestamp()) if fault.at else int(time.time())
        header = stripe.WebhookSignature.generate_signature_header(
            text, fault.secret or STRIPE_SECRET, at
        )
        return Client().post(
            "/api/webhooks/stripe",
            fault.body or text,
            content_type="application/json",
            headers={"Stripe-Signature": header},
        )

    def gone_back(self) -> int:
        return sum(self._of("refund", "amount"))

    def opened(self) -> int:
        return len(self._of("checkout.session", "amount_total"))

    def go_down(self) -> None:
        self.peer.stays_silent = True

    def come_back(self) -> None:
        self.peer.stays_silent = False

    def asked(self) -> int:
        return len(self.peer.calls)

    def _of(self, kind: str, name: str) -> list[Any]:
        return [thing[name] for thing in self.peer.things.values() if thing["object"] == kind]

    def _event(self, type: str, thing: dict[str, Any]) -> Told:
        return Told(f"evt_{type}_{thing['id']}", type, {"object": dict(thing)})


@dataclass
class PolarGate:
    hall: polar.StandIn
    name: str = "polar"
    intents: bool = False

    def pay(self, payment: Payment, *, money: Money | None = None) -> list[Told]:
        checkout = self.hall.rows("checkouts")[payment.gateway_ref]
        if money:
            checkout |= {"amount": money.amount, "currency": money.currency.lower()}
        order = self.hall.pay(payment.gateway_ref)
        names = ("order.created", "order.updated", "order.paid")
        return [
            self._event("checkout.updated", checkout),
            *(self._event(name, order) for name in names),
        ]

    def give_back(self, payment: Payment, amount: int) -> list[Told]:
        order = self._order(payment)
        refund = self.hall.give_back(order["id"], amount)
        return [
            self._event("refund.created", refund),
            self._event("order.refunded", order),
            self._event("refund.updated", refund),
        ]

    def dispute(self, payment: Payment) -> list[Told]:
        self.hall.dispute(self._order(payment)["id"])
        return []

    def decide(self, payment: Payment, *, for_shop: bool) -> list[Told]:
        order_id = self._order(payment)["id"]
        for dispute in self.hall.rows("disputes").values():
            if dispute["order_id"] == order_id:
                dispute["status"] = "won" if for_shop else "lost"
        return []

    def claim(self, told: Told, amount: int) -> Told:
        return Told(told.id, told.type, {**told.data, "subtotal_amount": amount})

    def send(self, told: Told, fault: Fault = NO_FAULT) -> Any:
        return polar.tell(
            told.type,
            told.data,
            event_id=told.id,
            at=fault.at,
            secret=fault.secret or polar.SECRET,
            body=fault.body,
        )

    def gone_back(self) -> int:
        return sum(refund["amount"] for refund in self.hall.rows("refunds").values())

    def opened(self) -> int:
        return len(self.hall.rows("checkouts"))

    def go_down(self) -> None:
        self.hall.stays_silent = True

    def come_back(self) -> None:
        self.hall.stays_silent = False

    def asked(self) -> int:
        return len(self.hall.asked)

    def _order(self, payment: Payment) -> dict[str, Any]:
        orders = self.hall.rows("orders").values()
        (order,) = [one for one in orders if one["checkout_id"] == payment.gateway_ref]
        return order

    def _event(self, type: str, data: dict[str, Any]) -> Told:
        return Told(f"{type}-{data['id']}", type, dict(data))


@contextmanager
def standing(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The gateway ``name``, which takes new payments. One that is down is given up at once: how
    often the clients try again is no matter here."""
    environment = settings.ENVIRONMENT
    monkeypatch.setattr(environment, "payment_gateway", name)
    if name == "sandbox":
        yield SandboxGate()
    elif name == "stripe":
        monkeypatch.setattr(connection, "_RETRIES", 0)
        peer = stripe_peer.Peer()
        with stripe_peer.serving(peer) as address:
            monkeypatch.setattr(environment, "stripe_secret_key", stripe_peer.KEY)
            monkeypatch.setattr(environment, "stripe_webhook_secret", [STRIPE_SECRET])
            monkeypatch.setattr(environment, "stripe_api_base", address)
            _forget()
            yield StripeGate(peer)
            _forget()
    else:
        monkeypatch.setattr(polar_client, "_TRIES", 1)
        hall = polar.StandIn()
        monkeypatch.setattr(environment, "polar_access_token", "polar_oat_test")
        monkeypatch.setattr(environment, "polar_webhook_secret", polar.SECRET)
        monkeypatch.setattr(environment, "polar_api_base", hall.url)
        polar_setup.forget()
        yield PolarGate(hall)
        polar_setup.forget()
        hall.close()


def old() -> datetime:
    """A time that webhooks are too old for."""
    return datetime.now(UTC) - timedelta(minutes=6)


def _forget() -> None:
    registry.named.cache_clear()
    connection.client.cache_clear()
