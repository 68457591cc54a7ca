"""Enqueue a job by name, in the transaction whose change it follows.

The jobs themselves stand in ``interfaces/jobs``. A job can run twice, and does after a crash.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from procrastinate import exceptions
from procrastinate.contrib.django import app


def enqueue(
    task: str,
    *,
    queue: str = "default",
    delay: timedelta | None = None,
    lock: str | None = None,
    **arguments: Any,
) -> int:
    """Enqueue ``task``; returns the job's id.

    ``arguments`` must be JSON. Jobs with the same ``lock`` run one after the other. ``delay`` is
    real time, whatever the sandbox clock says.
    """
    deferrer = app.configure_task(
        task,
        queue=queue,
        lock=lock,
        schedule_in={"seconds": delay.total_seconds()} if delay else None,
    )
    return deferrer.defer(**arguments)


def enqueue_once(task: str, *, queue: str = "default", **arguments: Any) -> None:
    """Enqueue ``task`` unless the same task already waits. A running one does not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'", [task]
        )
        if cursor.fetchone():
            return
    deferrer = app.configure_task(task, queue=queue, queueing_lock=task)
    try:
        deferrer.defer(**arguments)
    except exceptions.AlreadyEnqueued:
        return


def unfinished(task: str, argument: str) -> set[str]:
    """The values of one argument among the jobs of ``task`` that wait or run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args ->> %s FROM procrastinate_jobs"
            " WHERE task_name = %s AND status IN ('todo', 'doing')",
            [argument, task],
        )
        return {row[0] for row in cursor.fetchall()}
