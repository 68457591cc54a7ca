"""A hall of the benchmark's own: started as ``make run`` starts it, watched from outside."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache" / "bench"
_STEP = re.compile(r"^\s+(?P<name>\S.*?)\s+(?P<seconds>[\d.]+) s\s*$", re.MULTILINE)


class DidNotStart(Exception):
    """The hall did not answer in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds used so far: by the hall's processes, and by its database's."""

    hall: float
    database: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(self.hall - before.hall, self.database - before.database)


class Hall:
    """``markethall up`` as a child process."""

    def __init__(self, folder: Path, *, port: int = 0, **settings: str) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder.with_suffix(".log")
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str] | None = None, *, page: str = "/readyz") -> float:
        """Start, wait until ``page`` answers, and return how long that took, in seconds."""
        arguments = command or [
            *(sys.executable, "-m", "markethall", "up", "--no-demo"),
            *("--port", str(self.port)),
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                arguments, cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )
        while time.monotonic() - began < 120:
            if self._process.poll() is not None:
                break
            if answers(self.port, page):
                return time.monotonic() - began
            time.sleep(0.02)
        raise DidNotStart(self.log.read_text()[-2000:])

    def stop(self) -> None:
        """Ask the hall to close, and wait until it and its database have."""
        if self._process is None:
            return
        processes = self.processes()
        for process in processes if processes[0].name() == "make" else processes[:1]:
            with suppress(psutil.NoSuchProcess):  # ended by itself meanwhile
                process.terminate()
        self._process.wait(60)
        self._process = None
        psutil.wait_procs(processes, timeout=30)

    def steps(self) -> dict[str, float]:
        """The steps of the start that the hall printed, in seconds."""
        return {m["name"]: float(m["seconds"]) for m in _STEP.finditer(self.log.read_text())}

    def processes(self) -> list[psutil.Process]:
        """The hall's own processes, the supervisor first."""
        if self._process is None:
            return []
        top = psutil.Process(self._process.pid)
        return [p for p in (top, *top.children(recursive=True)) if _is_ours(p)]

    def database(self) -> list[psutil.Process]:
        """The embedded database's processes."""
        pid = int((self.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]

    def cpu(self) -> Cpu:
        return Cpu(_cpu(self.processes()), _cpu(self.database()))

    def memory(self) -> int:
        """What the hall's processes hold, shared pages counted once, in bytes."""
        return _memory(self.processes())

    def memory_with_database(self) -> int:
        """What hall and database hold together, shared pages counted once, in bytes."""
        return _memory([*self.processes(), *self.database()])

    @contextmanager
    def workers_paused(self) -> Iterator[None]:
        """Within this, no job runs: a measurement of the front is not one of the workers. None is
        paused within a transaction, whose locks would be held all the while."""
        paused = [process for process in self.processes()[1:] if _is_worker(process)]
        _send(paused, signal.SIGSTOP)
        while _has_open_transaction():
            _send(paused, signal.SIGCONT)
            time.sleep(0.05)
            _send(paused, signal.SIGSTOP)
        try:
            yield
        finally:
            _send(paused, signal.SIGCONT)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATA_DIR": str(self.folder),
            "SITE_URL": f"http://127.0.0.1:{self.port}",
            "AUTH_LIMIT_FACTOR": "1000",
            **self.settings,
        }


def _send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        process.send_signal(number)


def _has_open_transaction() -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%')"
        )
        return bool(cursor.fetchone()[0])


def fresh(folder: Path) -> Path:
    """An empty folder in the place of whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def answers(port: int, page: str) -> bool:
    """Whether ``page`` answers with a success."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=10) as answer:
            return bool(answer.status < 400)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def raise_file_limit() -> int:
    """Allow as many open files as the system lets us; returns how many. Children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _is_ours(process: psutil.Process) -> bool:
    try:
        return not process.name().startswith("postgres")
    except psutil.NoSuchProcess:
        return False


def _is_worker(process: psutil.Process) -> bool:
    names = (process.name(), *process.cmdline())
    return any(name.startswith(("worker", "mail", "studio")) for name in names)


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _memory(processes: list[psutil.Process]) -> int:
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += int(process.memory_full_info().pss)
    return total
