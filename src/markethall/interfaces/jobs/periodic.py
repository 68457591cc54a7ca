"""The jobs that come round by themselves."""

from __future__ import annotations

import time

from procrastinate.contrib.django import app

from markethall.kernel.jobs import enqueue_once


def enqueue_all_periodic() -> list[str]:
    """Enqueue every periodic job now, as after a turn of the clock; returns their names."""
    tasks = {entry.task.name: entry.task for entry in app.periodic_registry.periodic_tasks.values()}
    for name, task in tasks.items():
        enqueue_once(name, queue=task.queue, timestamp=int(time.time()))
    return sorted(tasks)
