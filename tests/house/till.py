"""The till in tests: packs to buy, the sandbox gateway's buttons, and its webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from house.people import ApiClient, client_for
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.accounts.models import User
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.payments.gateways.sandbox import delivery, signing
from markethall.foundation.payments.models import Payment
from markethall.trade.catalog.models import Offer
from markethall.trade.orders.models import Order

WEBHOOK = "/api/webhooks/sandbox"


@pytest.fixture
def till(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No job is left over, and the gateway's HTTP ends in this hall."""
    transactional = "transactional_db" in request.fixturenames
    request.getfixturevalue("transactional_db" if transactional else "db")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
    monkeypatch.setattr(delivery, "new_client", _client_of_this_hall)


@cache
def _hall() -> Any:
    return get_wsgi_application()


def _client_of_this_hall() -> httpx.Client:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        """The hall, letting go of the thread's database connection afterwards."""
        try:
            response = _hall()(environ, start_response)
            body = b"".join(response)
            response.close()
            return [body]
        finally:
            connections.close_all()

    return httpx.Client(transport=httpx.WSGITransport(app=app))


def yen_pack() -> Offer:
    """A pack in a currency without a minor unit."""
    return Offer.objects.create(
        code="credits-yen",
        kind="credits",
        storefront="plushify",
        name="70 credits",
        amount=700,
        currency="JPY",
        credits=70,
    )


def checkout(client: ApiClient, item: str = "credits-50", **extra: Any) -> dict[str, Any]:
    """Start a checkout; the answer's body."""
    headers = extra.pop("headers", {})
    answer = client.post("/api/payments/create-checkout", {"item": item, **extra}, headers=headers)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def press(started: dict[str, Any], outcome: str = "paid", **options: Any) -> dict[str, Any]:
    """Press a button on the gateway's page."""
    path = started["checkoutUrl"].removeprefix("http://testserver")
    answer = Client().post(
        f"{path}/pay", {"outcome": outcome, **options}, content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def told() -> list[dict[str, Any]]:
    """The events that the gateway's jobs would send; the jobs are gone afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH sent AS (UPDATE procrastinate_jobs SET status = 'cancelled'"
            " WHERE task_name = 'send_sandbox_webhooks' AND status = 'todo' RETURNING id, args)"
            " SELECT args FROM sent ORDER BY id"
        )
        return [event for (args,) in cursor.fetchall() for event in _args(args)["events"]]


def post_event(
    event: dict[str, Any], *, at: datetime | None = None, secret: str = "", body: str = ""
) -> Any:
    """Deliver one event, signed as the gateway does; the answer."""
    text = json.dumps(event, separators=(",", ":"))
    headers = signing.sign(event["id"], at or timezone.now(), text)
    if secret:
        signer = signing._verifiers(secret)[0]
        headers["webhook-signature"] = signer.sign(event["id"], timezone.now(), text)
    headers.pop("content-type")
    return Client().post(WEBHOOK, body or text, content_type="application/json", headers=headers)


def deliver_and_settle() -> None:
    """The gateway tells what it has to tell, and the inbox is settled."""
    for event in told():
        assert post_event(event).status_code == 200
    settle_inbox()


def buy(user: User, item: str = "credits-50", outcome: str = "paid") -> Order:
    """A purchase from the button to the settled webhook."""
    started = checkout(client_for(user), item)
    press(started, outcome)
    deliver_and_settle()
    return Order.objects.get(pk=started["orderId"])


def payment_of(order: Order) -> Payment:
    """The only payment of an order."""
    return Payment.objects.get(reference=order.pk)


def books_are_right() -> bool:
    """Whether recomputing the books finds no fault."""
    return [fault for result in check_ledger() for fault in result.faults] == []


def old(minutes: int = 6) -> datetime:
    """A time that webhooks are too old for."""
    return timezone.now() - timedelta(minutes=minutes)


def waiting_jobs(name: str) -> list[dict[str, Any]]:
    """The arguments of the jobs of that name that wait, but for the request they follow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args - 'request_id' FROM procrastinate_jobs"
            " WHERE task_name = %s AND status = 'todo' ORDER BY id",
            [name],
        )
        return [_args(args) for (args,) in cursor.fetchall()]


def _args(args: Any) -> dict[str, Any]:
    return dict(json.loads(args) if isinstance(args, str) else args)
