"""Run the jobs that wait, here and now, as the worker would."""

from __future__ import annotations

import asyncio

from procrastinate.contrib.django import app


def run_jobs(queues: list[str] | None = None) -> None:
    """Run every job that is due until none is left (its own database connection: use with
    transactional tests)."""
    worker_app = app.with_connector(app.connector.get_worker_connector())

    async def run() -> None:
        async with worker_app.open_async():
            await worker_app.run_worker_async(
                queues=queues, wait=False, install_signal_handlers=False, listen_notify=False
            )

    asyncio.run(run())
