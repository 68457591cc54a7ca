"""``markethall up``: starts the parts in their order, and starts again what dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console

from markethall.interfaces.cli.setup import SUPERVISED, prepare

console = Console()
_RESTART_AFTER = 1.0  # seconds, so that a part that cannot start does not spin


@dataclass(slots=True)
class Part:
    """A child process of the hall."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = field(default=0.0)

    def ensure_running(self) -> None:
        """Start the part if it is not running."""
        if self.process and self.process.poll() is None:
            return
        if self.process:
            console.print(f"{self.name} ended ({self.process.returncode}); starting it again.")
            time.sleep(max(0.0, _RESTART_AFTER - (time.monotonic() - self.started_at)))
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "markethall", *self.arguments],
            env={**os.environ, SUPERVISED: "1"},
        )

    def stop(self) -> None:
        """Ask the part to end, and wait for it."""
        if not self.process or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()


def run(*, port: int, demo: bool) -> None:
    """Run the whole hall until interrupted."""
    os.environ.setdefault("SITE_URL", f"http://127.0.0.1:{port}")
    with _step("database"):
        server = prepare()
    from django.core.management import call_command

    with _step("tables"):
        call_command("migrate", interactive=False, verbosity=0)
    with _step("static files"):
        call_command("collectstatic", interactive=False, verbosity=0)
    parts = [
        Part("web", ["serve", "--port", str(port)]),
        Part("worker", ["worker", "--queues", "default", "--concurrency", "4"]),
        Part("studio", ["worker", "--queues", "imaging", "--concurrency", "1"]),
    ]
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        while True:
            if server:
                server.ensure_postgres_running()
            for part in parts:
                part.ensure_running()
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print("Closing the hall …")
    finally:
        for part in parts:
            part.stop()


@contextmanager
def _step(name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    console.print(f"  {name:<14}{time.monotonic() - began:5.1f} s")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
