"""A worker whose database session dies: the job fails, and the next one has a new session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from procrastinate.contrib.django.models import ProcrastinateJob

from markethall.foundation.payments import inbox
from markethall.interfaces.jobs import worker
from markethall.kernel import jobs
from markethall.kernel.models import JobFailure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield

    async def let_go() -> None:
        await sync_to_async(connections.close_all)()

    asyncio.run(let_go())


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_the_next_job_of_a_thread_has_a_new_session(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def die_first() -> None:
        seen.append(backend())
        if len(seen) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()

    monkeypatch.setattr(inbox, "wake_if_due", die_first)
    for number in (1, 2):
        jobs.enqueue("sweep_inbox", queue="sessions", timestamp=number)
    worker.run(queues=["sessions"], concurrency=1, wait=False)
    first, second = ProcrastinateJob.objects.filter(queue_name="sessions").order_by("pk")
    assert (first.status, second.status) == ("failed", "succeeded")
    assert len(set(seen)) == 2
    assert "terminating connection" in JobFailure.objects.get(job_id=first.pk).error
