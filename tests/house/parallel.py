"""Real concurrency: each act in a thread with a database session of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connections

ResultT = TypeVar("ResultT")


def together(acts: Sequence[Callable[[], ResultT]]) -> list[ResultT | Exception]:
    """Run ``acts`` at once, started by one barrier; results or exceptions in their order."""
    barrier = threading.Barrier(len(acts))
    results: list[ResultT | Exception] = [RuntimeError("did not run")] * len(acts)

    def run(index: int) -> None:
        try:
            barrier.wait(30)
            results[index] = acts[index]()
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results
