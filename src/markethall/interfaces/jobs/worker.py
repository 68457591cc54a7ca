from __future__ import annotations

from collections.abc import Sequence

from procrastinate.contrib.django import app


def run(*, queues: Sequence[str], concurrency: int, wait: bool = True) -> None:
    """Run jobs of ``queues`` (all when empty); with ``wait=False`` until none is left."""
    worker_app = app.with_connector(app.connector.get_worker_connector())
    with worker_app.replace_connector(worker_app.connector):
        worker_app.run_worker(
            queues=list(queues) or None,
            concurrency=concurrency,
            wait=wait,
            listen_notify=wait,
            install_signal_handlers=wait,
        )
