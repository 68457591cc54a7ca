from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

import stripe
from house import stripe_peer
from house.stripe_account import Account
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.stripe import connection

SECRET = "whsec_for_tests"
OLD_SECRET = "whsec_rolled_out"


@pytest.fixture
def peer(till: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Stripe takes the money, at a stand-in of its API."""
    made = stripe_peer.Peer()
    with _standing(made, monkeypatch):
        yield made


@pytest.fixture
def account(till: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Account, str]]:
    """The same with the part that Stripe's own tool uses; and where it stands."""
    made = Account()
    with _standing(made, monkeypatch) as address:
        yield made, address


@contextmanager
def _standing(made: stripe_peer.Peer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with stripe_peer.serving(made) as address:
        environment = settings.ENVIRONMENT
        for name, value in {
            "payment_gateway": "stripe",
            "stripe_secret_key": stripe_peer.KEY,
            "stripe_publishable_key": "pk_test_peer",
            "stripe_webhook_secret": [SECRET, OLD_SECRET],
            "stripe_api_base": address,
            "stripe_statement_descriptor": "MARKETHALL",
        }.items():
            monkeypatch.setattr(environment, name, value)
        _forget()
        yield address
        _forget()


def _forget() -> None:
    registry.named.cache_clear()
    connection.client.cache_clear()


class Sender:
    """Sends events as Stripe does: signed, over HTTP."""

    def event(self, type: str, thing: dict[str, Any], **fields: Any) -> dict[str, Any]:
        event = {"id": f"evt_{type}_{thing['id']}", "object": "event", "type": type}
        rest = {"api_version": stripe.api_version, "created": int(time.time()), "livemode": False}
        return {**event, **rest, "data": {"object": thing}, **fields}

    def post(
        self,
        event: dict[str, Any],
        *,
        secret: str = SECRET,
        at: int | None = None,
        body: str = "",
        path: str = "/api/webhooks/stripe",
    ) -> Any:
        text = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(text, secret, at)
        return Client().post(
            path,
            body or text,
            content_type="application/json",
            headers={"Stripe-Signature": header},
        )

    def tell(self, type: str, thing: dict[str, Any], **fields: Any) -> None:
        answer = self.post(self.event(type, thing, **fields))
        assert answer.status_code == 200, answer.content


@pytest.fixture
def sender() -> Sender:
    return Sender()
