from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.db import close_old_connections
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.worker import Worker

from markethall.kernel import job_log
from markethall.kernel.jobs import REQUEST_ID


def run(*, queues: Sequence[str], concurrency: int, wait: bool = True) -> None:
    """Run jobs of ``queues`` (all when empty); with ``wait=False`` until none is left."""
    worker_app = app.with_connector(_connector())
    with worker_app.replace_connector(worker_app.connector):
        worker_app.run_worker(
            queues=list(queues) or None,
            concurrency=concurrency,
            wait=wait,
            listen_notify=wait,
            install_signal_handlers=wait,
            # What the app itself puts around a job lets go of database sessions that have died.
            task_middleware=[*_of_the_app(), with_context, keep_error],
        )


def _connector() -> PsycopgConnector:
    """procrastinate's own keeps four sessions open for a worker that has nothing to do."""
    return PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4)


def _of_the_app() -> Sequence[Any]:
    return app.worker_defaults.get("task_middleware") or ()


def with_context(run_task: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Let every line of the log name the job, what it is about, and the request it follows."""
    job = context.job
    about = {name: str(value) for name, value in job.task_kwargs.items() if name.endswith("_id")}
    job.task_kwargs.pop(REQUEST_ID, None)
    with structlog.contextvars.bound_contextvars(job=job.id, task=job.task_name, **about):
        return run_task()


def keep_error(run_task: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Keep why a try failed, for whoever looks at the job."""
    try:
        return run_task()
    except Exception as error:
        close_old_connections()  # the job's may be what broke
        if context.job.id is not None:
            job_log.keep_error(context.job.id, error)
        raise
