"""What staff do to jobs by hand, on record."""

from __future__ import annotations

import uuid

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.kernel import job_log


def retry_job(*, job_id: int, actor_id: uuid.UUID) -> None:
    """Let a failed job run again. Raises JobMissing, JobNotWaiting."""
    with transaction.atomic():
        job_log.retry(job_id)
        record("jobs.retry", actor_id=actor_id, subject_type="job", subject_id=job_id)


def cancel_job(*, job_id: int, actor_id: uuid.UUID) -> None:
    """Take a waiting job out of its queue. Raises JobMissing, JobNotWaiting."""
    with transaction.atomic():
        job_log.cancel(job_id)
        record("jobs.cancel", actor_id=actor_id, subject_type="job", subject_id=job_id)
