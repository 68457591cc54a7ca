"""Files that lie somewhere else."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from markethall.foundation.files.actions import DELETE_JOB, delete_content

_STORAGE_RETRIES = RetryStrategy(max_attempts=10, exponential_wait=3)


@app.task(name=DELETE_JOB, queue="default", retry=_STORAGE_RETRIES)
def delete_stored(storage: str, names: list[str]) -> None:
    delete_content(storage, names)
