from __future__ import annotations

import uuid

import pytest

from house.people import ApiClient, client_for, make_user
from house.till import buy, post_event, waiting_jobs
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.payments.models import InboxEvent, InboxStatus

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


def test_the_inbox_shows_events_and_filters_them() -> None:
    buy(make_user())
    post_event({"id": "evt_other", "type": "payment.succeeded", "data": {"id": "x"}})
    finance = client_for(make_user(role=Role.FINANCE))
    items = finance.get("/api/webhooks/events").json()["items"]
    assert items[0]["eventId"] == "evt_other"
    (settled,) = finance.get("/api/webhooks/events?status=settled").json()["items"]
    assert settled["payload"]["data"]["amount"] == 499
    assert "is paid" in settled["outcome"]
    assert finance.get("/api/webhooks/events?provider=stripe").json()["items"] == []


def test_only_those_who_may_read_and_replay() -> None:
    post_event({"id": "evt_1", "type": "payment.succeeded", "data": {"id": "x"}})
    event = InboxEvent.objects.get()
    replay = f"/api/webhooks/events/{event.pk}/replay"
    assert ApiClient().get("/api/webhooks/events").status_code == 401
    for role in (Role.CUSTOMER, Role.VENDOR, Role.LOGISTICS):
        assert client_for(make_user(role=role)).get("/api/webhooks/events").status_code == 403
    assert client_for(make_user(role=Role.FINANCE)).post(replay).status_code == 403
    admin = make_user(role=Role.ADMIN)
    nobody = f"/api/webhooks/events/{uuid.uuid4()}/replay"
    assert client_for(admin).post(nobody).status_code == 404
    InboxEvent.objects.update(status=InboxStatus.PARKED, attempts=3)
    answer = client_for(admin).post(replay)
    assert (answer.status_code, answer.json()["status"]) == (202, "received")
    entry = AuditEntry.objects.get(action="webhooks.replay")
    assert (entry.actor_id, entry.data) == (admin.pk, {"was": "parked"})
    assert waiting_jobs("settle_inbox")


def test_intake_takes_few_statements(django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        post_event({"id": "evt_1", "type": "payment.succeeded", "data": {"id": "x"}})
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        post_event({"id": "evt_1", "type": "payment.succeeded", "data": {"id": "x"}})
