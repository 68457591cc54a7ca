"""Run the jobs that wait, here and now, as the worker would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from procrastinate.contrib.django import app

from markethall.interfaces.jobs.worker import with_context


def run_jobs(queues: list[str] | None = None) -> None:
    """Run every job that is due until none is left (its own database connection: use with
    transactional tests)."""
    worker_app = app.with_connector(app.connector.get_worker_connector())

    async def run() -> None:
        async with worker_app.open_async():
            await worker_app.run_worker_async(
                queues=queues,
                wait=False,
                install_signal_handlers=False,
                listen_notify=False,
                task_middleware=[_letting_go, with_context],
            )
        # Periodic jobs are deferred in the thread that Django keeps for asynchronous code.
        await sync_to_async(connections.close_all)()

    asyncio.run(run())


def _letting_go(run_task: Callable[[], Any], *_: Any) -> Any:
    """Each job runs in a thread of its own, which ends without closing its database session."""
    try:
        return run_task()
    finally:
        connections.close_all()
