"""Enqueue a job by name, in the transaction whose change it follows.

The jobs themselves stand in ``interfaces/jobs``. A job can run twice, and does after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from django.utils import timezone

# An argument of every job that follows a request; the worker takes it off.
REQUEST_ID = "request_id"
# procrastinate's own function, called without its client: one plain statement.
_DEFER = "SELECT procrastinate_defer_jobs_v1(ARRAY[{jobs}])"
_JOB = "(%s, %s, 0, %s, %s, %s, %s)::procrastinate_job_to_defer_v1"
_WAITS_NOT = (
    " WHERE NOT EXISTS"
    " (SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo')"
)


@dataclass(frozen=True, slots=True)
class _Job:
    queue: str
    task: str
    arguments: str
    due_at: datetime | None = None
    lock: str | None = None
    queueing_lock: str | None = None


_gathering: ContextVar[list[_Job] | None] = ContextVar("gathering", default=None)


def enqueue(
    task: str,
    *,
    queue: str = "default",
    delay: timedelta | None = None,
    lock: str | None = None,
    **arguments: Any,
) -> None:
    """Enqueue ``task``. ``arguments`` must be JSON.

    Jobs with the same ``lock`` run one after the other. ``delay`` is real time, whatever the
    sandbox clock says. The worker logs for the request that this stands in.
    """
    due_at = timezone.now() + delay if delay else None
    job = _Job(queue, task, json.dumps(arguments | _origin()), due_at, lock)
    gathered_so_far = _gathering.get()
    if gathered_so_far is None:
        _defer([job])
    else:
        gathered_so_far.append(job)


@contextmanager
def gathered() -> Iterator[None]:
    """Write the jobs that are enqueued within this by one statement at its end; none when it
    raises. Stands inside the transaction whose changes they follow."""
    jobs: list[_Job] = []
    token = _gathering.set(jobs)
    try:
        yield
    finally:
        _gathering.reset(token)
    if jobs:
        _defer(jobs)


def _origin() -> dict[str, str]:
    """Which request a job follows, itself or through another job."""
    found = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return {REQUEST_ID: found} if found else {}


def _defer(jobs: list[_Job]) -> None:
    statement = _DEFER.format(jobs=", ".join([_JOB] * len(jobs)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for job in jobs for value in _values(job)])


def _values(job: _Job) -> list[Any]:
    return [job.queue, job.task, job.lock, job.queueing_lock, job.arguments, job.due_at]


def enqueue_once(task: str, *, queue: str = "default", **arguments: Any) -> None:
    """Enqueue ``task`` unless the same task already waits. A running one does not count.

    Stands after a transaction, and raises RuntimeError within one: the job that waits already may
    run before that transaction's changes can be seen.
    """
    job = _Job(queue, task, json.dumps(arguments | _origin()), queueing_lock=task)
    # Of two at once, one is kept; the other is taken back whole.
    with suppress(IntegrityError), atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_DEFER.format(jobs=_JOB) + _WAITS_NOT, [*_values(job), task])


def unfinished(task: str, argument: str) -> set[str]:
    """The values of one argument among the jobs of ``task`` that wait or run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args ->> %s FROM procrastinate_jobs"
            " WHERE task_name = %s AND status IN ('todo', 'doing')",
            [argument, task],
        )
        return {row[0] for row in cursor.fetchall()}
