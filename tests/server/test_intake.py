from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from house.till import waiting_jobs
from markethall.config.wsgi import application
from markethall.foundation.payments import inbox
from markethall.foundation.payments.gateways.sandbox import signing
from markethall.foundation.payments.models import InboxEvent
from markethall.interfaces.server.front import Front
from markethall.interfaces.server.intake import MAX_BODY, Intake

PATH = "/api/webhooks/sandbox"
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def intake(transactional_db: None) -> Iterator[Intake]:
    intake = Intake()
    yield intake
    intake._thread.submit(connections.close_all).result()


def signed(event_id: str, *, padding: int = 0) -> tuple[dict[str, str], bytes]:
    data = {"id": "x", "padding": "x" * padding}
    text = json.dumps({"id": event_id, "type": "payment.succeeded", "data": data})
    return {"host": "testserver", **signing.sign(event_id, timezone.now(), text)}, text.encode()


def post(front: Front, *requests: tuple[dict[str, str], bytes], method: str = "POST") -> list[Any]:
    """The answers to requests sent all at once."""

    async def one(headers: dict[str, str], body: bytes) -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": PATH,
            "scheme": "http",
            "query_string": b"",
            "http_version": "1.1",
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }
        await front(scope, receive, send)
        named = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return sent[0]["status"], named, sent[1]["body"]

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(one(*request) for request in requests))

    try:
        return asyncio.run(all_of_them())
    finally:
        front._threads.submit(connections.close_all).result()


def refuse(*_: Any) -> Any:
    raise AssertionError("a view was asked")


def test_webhooks_that_come_together_are_stored_together_and_once(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    store = inbox.store

    def count(arrivals: Any) -> None:
        sizes.append(len(arrivals))
        store(arrivals)

    monkeypatch.setattr(inbox, "store", count)
    requests = [signed(f"evt_{number % 8}") for number in range(20)]
    answers = post(Front(refuse, None, threads=1, intake=intake), *requests)
    assert {(status, body) for status, _, body in answers} == {(200, b'{"received": true}')}
    assert sum(sizes) == 20 and len(sizes) < 20
    assert sorted(InboxEvent.objects.values_list("event_id", "deliveries")) == [
        *((f"evt_{number}", 3) for number in range(4)),
        *((f"evt_{number}", 2) for number in range(4, 8)),
    ]
    assert len(waiting_jobs("settle_inbox")) == 1


def test_the_answer_is_that_of_the_view(intake: Intake) -> None:
    origin = {"origin": "http://localhost:3000"}
    for more in ({}, origin, {"x-forwarded-proto": "https"}):
        (quick,) = post(
            Front(refuse, None, threads=1, intake=intake),
            ({**signed("evt")[0], **more}, signed("evt")[1]),
        )
        (slow,) = post(
            Front(application, None, threads=1), ({**signed("evt")[0], **more}, signed("evt")[1])
        )
        assert quick[1].pop("x-request-id") != slow[1].pop("x-request-id")
        assert quick == slow


def test_what_is_not_in_order_is_for_the_view(intake: Intake) -> None:
    front = Front(application, None, threads=1, intake=intake)
    headers, body = signed("evt")
    (refused,) = post(front, (headers, body + b" "))
    assert (refused[0], json.loads(refused[2])["code"]) == (400, "invalid_signature")
    assert post(front, (headers, b""), method="GET")[0][0] == 405
    assert not InboxEvent.objects.exists()
    assert post(front, signed("evt_large", padding=MAX_BODY))[0][0] == 200
    assert InboxEvent.objects.get().event_id == "evt_large"


def test_webhooks_that_cannot_be_stored_together_are_stored_one_by_one(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = inbox.store

    def only_one(arrivals: Any) -> None:
        if len(arrivals) > 1:
            raise RuntimeError("too many")
        store(arrivals)

    monkeypatch.setattr(inbox, "store", only_one)
    front = Front(application, None, threads=1, intake=intake)
    answers = post(front, *(signed(f"evt_{number}") for number in range(5)))
    assert [status for status, *_ in answers] == [200] * 5
    assert InboxEvent.objects.count() == 5


def test_an_unknown_host_is_refused(intake: Intake, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    front = Front(application, None, threads=1, intake=intake)
    headers, body = signed("evt")
    (refused,) = post(front, ({**headers, "host": "evil.example"}, body))
    assert refused[0] == 400 and not InboxEvent.objects.exists()
