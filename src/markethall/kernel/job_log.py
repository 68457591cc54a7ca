"""What the job queue holds: for people who look after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import (
    ProcrastinateEvent,
    ProcrastinateJob,
    ProcrastinateWorker,
)

from markethall.kernel.errors import Conflict, NotFound
from markethall.kernel.models import JobFailure
from markethall.kernel.pagination import Count

STATES = ("todo", "doing", "failed", "succeeded", "cancelled", "aborted")
# procrastinate's workers report every ten seconds.
SILENT_AFTER = timedelta(seconds=30)
_MOST = 999
# Written out, so that each part finds its partial index.
_OPEN_AND_FAILED = """
SELECT queue_name, status::text, count(*) FROM (
    (SELECT queue_name, status FROM procrastinate_jobs WHERE status = 'todo' LIMIT %s)
    UNION ALL
    (SELECT queue_name, status FROM procrastinate_jobs WHERE status = 'doing' LIMIT %s)
    UNION ALL
    (SELECT queue_name, status FROM procrastinate_jobs WHERE status = 'failed' LIMIT %s)
) found GROUP BY 1, 2
"""


class JobMissing(NotFound):
    code, title = "job_not_found", "There is no such job"


class JobNotWaiting(Conflict):
    code, title = "job_not_waiting", "This job cannot be changed in its present state"


@dataclass(frozen=True, slots=True)
class QueueState:
    """How many jobs of a queue are in which state."""

    queue: str
    waiting: Count
    running: Count
    failed: Count


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A process that runs jobs; ``is_silent`` when it has not reported for too long."""

    id: int
    reported_at: datetime
    running: int
    is_silent: bool


def jobs_matching(
    *, state: str = "", queue: str = "", task: str = ""
) -> QuerySet[ProcrastinateJob]:
    """Jobs that match every given filter; order by ``-id``."""
    found = ProcrastinateJob.objects.all()
    if state == "stalled":
        found = found.filter(pk__in=stalled_ids())
    elif state == "retrying":
        found = found.filter(status="todo", attempts__gt=0)
    elif state:
        found = found.filter(status=state)
    if queue:
        found = found.filter(queue_name=queue)
    if task:
        found = found.filter(task_name=task)
    return found


def job_named(job_id: int) -> ProcrastinateJob:
    """One job; raises JobMissing."""
    job: ProcrastinateJob | None = ProcrastinateJob.objects.filter(pk=job_id).first()
    if job is None:
        raise JobMissing
    return job


def events_of(job_id: int) -> list[ProcrastinateEvent]:
    """What happened to a job, in its order."""
    return list(ProcrastinateEvent.objects.filter(job_id=job_id).order_by("pk"))


def stalled_ids() -> set[int]:
    """Jobs that run on a worker which is gone or silent."""
    limit = timezone.now() - SILENT_AFTER
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT j.id FROM procrastinate_jobs j"
            "  LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
            " WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < %s)",
            [limit],
        )
        return {row[0] for row in cursor.fetchall()}


def queue_states() -> list[QueueState]:
    """Each queue with its open and failed jobs, counted up to a bound."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_AND_FAILED, [_MOST + 1] * 3)
        found = {(queue, state): number for queue, state, number in cursor.fetchall()}

    def count(queue: str, state: str) -> Count:
        number = found.get((queue, state), 0)
        return Count(min(number, _MOST), number > _MOST)

    return [
        QueueState(queue, count(queue, "todo"), count(queue, "doing"), count(queue, "failed"))
        for queue in sorted({queue for queue, _ in found})
    ]


def workers() -> list[WorkerState]:
    """The workers that have registered, the newest first."""
    running: dict[int, int] = {}
    for worker_id in ProcrastinateJob.objects.filter(
        status="doing", worker_id__isnull=False
    ).values_list("worker_id", flat=True):
        running[worker_id] = running.get(worker_id, 0) + 1
    limit = timezone.now() - SILENT_AFTER
    return [
        WorkerState(row.pk, row.last_heartbeat, running.get(row.pk, 0), row.last_heartbeat < limit)
        for row in ProcrastinateWorker.objects.order_by("-pk")[:50]
    ]


def retry(job_id: int) -> None:
    """Let a failed job run again now. Raises JobMissing, JobNotWaiting."""
    job = job_named(job_id)
    if job.status != "failed":
        raise JobNotWaiting(f"A job that is {job.status} is not tried again.")
    app.job_manager.retry_job_by_id(job_id, retry_at=timezone.now())


def cancel(job_id: int) -> None:
    """Take a waiting job out of its queue. Raises JobMissing, JobNotWaiting."""
    job = job_named(job_id)
    if not app.job_manager.cancel_job_by_id(job_id):
        raise JobNotWaiting(f"A job that is {job.status} cannot be cancelled.")


def keep_error(job_id: int, error: BaseException) -> None:
    """Remember why a try of a job failed, in place of the one before."""
    text = f"{type(error).__name__}: {error}".replace("\x00", "")[:2000]
    JobFailure.objects.update_or_create(
        job_id=job_id, defaults={"error": text, "at": timezone.now()}
    )


def forget_errors(keep: timedelta) -> int:
    """Delete what is older than ``keep``, by real time as the queue itself; returns how much."""
    return JobFailure.objects.filter(at__lt=timezone.now() - keep).delete()[0]


def error_of(job_id: int) -> str:
    """What a job's last failed try said; empty when nothing is known."""
    row = JobFailure.objects.filter(pk=job_id).first()
    return row.error if row else ""
