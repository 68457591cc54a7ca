"""Products that come in by a file."""

from __future__ import annotations

import uuid

from procrastinate.contrib.django import app

from markethall.flows.imports import JOB, carry_out


@app.task(name=JOB, queue="default")
def import_products(run_id: str) -> None:
    carry_out(uuid.UUID(run_id))
