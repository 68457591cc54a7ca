"""Pictures."""

from __future__ import annotations

from uuid import UUID

from django.db import InterfaceError, OperationalError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from markethall.flows import generation, generation_care

# A database that was away for a moment: sooner than ``rescue_generations`` finds what is left.
_DATABASE_RETRIES = RetryStrategy(
    max_attempts=6, linear_wait=5, retry_exceptions={OperationalError, InterfaceError}
)


@app.task(name=generation.JOB, queue=generation.QUEUE, retry=_DATABASE_RETRIES)
def run_generation(generation_id: str) -> None:
    generation.run_generation(UUID(generation_id))


@app.periodic(cron="* * * * *")
@app.task(name="rescue_generations", queue="default", queueing_lock="rescue_generations")
def rescue_generations(timestamp: int) -> None:
    generation_care.rescue_generations()


@app.periodic(cron="17 * * * *")
@app.task(name="sweep_files", queue="default", queueing_lock="sweep_files")
def sweep_files(timestamp: int) -> None:
    generation_care.sweep_files()
