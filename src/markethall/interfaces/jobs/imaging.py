"""Pictures."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from markethall.flows import generation, generation_care


@app.task(name=generation.JOB, queue=generation.QUEUE)
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
