"""What jobs log names the request that they follow."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from django.test import Client

from house.jobs import run_jobs
from markethall.foundation.messaging import delivery
from markethall.foundation.messaging.models import Mail
from markethall.kernel import jobs

pytestmark = pytest.mark.django_db(transaction=True)
SOMEBODY = {"email": "ada@example.com", "password": "a-long-enough-secret", "name": "Ada"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What lines are logged with while a mail is handed over."""
    seen: list[dict[str, Any]] = []
    handed = delivery.deliver

    def deliver(*arguments: Any) -> Any:
        seen.append(structlog.contextvars.get_contextvars())
        return handed(*arguments)

    monkeypatch.setattr("markethall.interfaces.jobs.mail.deliver", deliver)
    return seen


def test_a_job_logs_for_the_request_that_enqueued_it(said: list[dict[str, Any]]) -> None:
    answer = Client().post("/api/auth/register", SOMEBODY, content_type="application/json")
    run_jobs()
    (line,) = said
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["mail_id"] == str(Mail.objects.get().pk)


def test_a_job_that_follows_no_request_logs_for_none(said: list[dict[str, Any]]) -> None:
    Client().post("/api/auth/register", SOMEBODY, content_type="application/json")
    run_jobs()
    jobs.enqueue("deliver_mail", queue="mail", mail_id=str(Mail.objects.get().pk))
    run_jobs()
    assert "request_id" not in said[1]


def test_a_job_that_follows_a_job_logs_for_the_same_request(said: list[dict[str, Any]]) -> None:
    Client().post("/api/auth/register", SOMEBODY, content_type="application/json")
    mail_id = str(Mail.objects.get().pk)
    with structlog.contextvars.bound_contextvars(request_id="r-1"), jobs.gathered():
        jobs.enqueue("deliver_mail", queue="mail", mail_id=mail_id)
    with structlog.contextvars.bound_contextvars(request_id="r-2"):
        jobs.enqueue_once("settle_inbox")
    run_jobs()
    assert [line["request_id"] for line in said][1:] == ["r-1"]
