"""Files that lie somewhere else."""

from __future__ import annotations

from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from markethall.foundation.files.actions import DELETE_JOB, delete_content
from markethall.foundation.files.moving import REMOVE_JOB, remove_moved
from markethall.kernel import jobs

_STORAGE_RETRIES = RetryStrategy(max_attempts=10, exponential_wait=3)
_LATER = timedelta(minutes=10)


@app.task(name=DELETE_JOB, queue="default", retry=_STORAGE_RETRIES)
def delete_stored(storage: str, names: list[str]) -> None:
    delete_content(storage, names)


@app.task(name=REMOVE_JOB, queue="default", retry=_STORAGE_RETRIES)
def remove_left_behind(storage: str, names: list[str]) -> None:
    if not remove_moved(storage, names):
        jobs.enqueue(REMOVE_JOB, delay=_LATER, storage=storage, names=names)
