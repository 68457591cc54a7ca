"""The parts of the hall: forked from one process that has loaded everything, and started again
when they die.

A fork costs no second import and shares its memory. A part ends with the process that made it,
however that one ended: it watches a pipe that only its maker holds open.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import connections

_RESTART_AFTER = 1.0  # seconds, so that a part that cannot start does not spin
_STOP_WITHIN = 15.0  # seconds
_PR_SET_NAME = 15  # of Linux's prctl(2)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(slots=True)
class Part:
    """A process of the hall. ``once`` is for work that ends by itself."""

    name: str
    work: Callable[[], None]
    once: bool = False
    pid: int = 0
    started_at: float = field(default=0.0)
    done: bool = False


class Parts:
    """Starts parts, keeps them running, stops them."""

    def __init__(self, parts: Sequence[Part], *, tell: Callable[[str], None]) -> None:
        self.parts = list(parts)
        self.tell = tell
        self._reading, self._writing = os.pipe()
        gc.freeze()  # a collector that looks at what all parts share would copy it for its own

    def ensure_running(self) -> None:
        """Start what does not run; call it again and again."""
        for part in self.parts:
            if part.pid and self._ended(part):
                if part.once:
                    part.done = True
                else:
                    self.tell(f"{part.name} ended; starting it again.")
            early = time.monotonic() - part.started_at < _RESTART_AFTER
            if not part.pid and not part.done and not (part.started_at and early):
                self._start(part)

    def stop(self) -> None:
        """Ask all parts to end, wait for them, and kill what does not listen."""
        running = [part for part in self.parts if part.pid and not self._ended(part)]
        for part in running:
            _send(part.pid, signal.SIGTERM)
        patience = time.monotonic() + _STOP_WITHIN
        while running and time.monotonic() < patience:
            time.sleep(0.05)
            running = [part for part in running if not self._ended(part)]
        for part in running:
            _send(part.pid, signal.SIGKILL)
            os.waitpid(part.pid, 0)

    def _ended(self, part: Part) -> bool:
        try:
            pid, _ = os.waitpid(part.pid, os.WNOHANG)
        except ChildProcessError:
            pid = part.pid
        if pid:
            part.pid = 0
        return bool(pid)

    def _start(self, part: Part) -> None:
        connections.close_all()
        sys.stdout.flush()
        part.started_at = time.monotonic()
        # A signal that comes before the child has set up its own handling waits for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            part.pid = os.fork()
            if part.pid == 0:
                self._run(part)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _run(self, part: Part) -> None:
        """Be the part; never returns."""
        code = 1
        try:
            _name_process(part.name)
            os.close(self._writing)
            threading.Thread(target=self._end_with_maker, daemon=True).start()
            signal.signal(signal.SIGTERM, _leave)
            # Ctrl-C reaches the whole terminal; the maker passes it on as SIGTERM.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            part.work()
            code = 0
        except (SystemExit, KeyboardInterrupt):
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _end_with_maker(self) -> None:
        os.read(self._reading, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_STOP_WITHIN)
        os._exit(1)


def _name_process(name: str) -> None:
    """Show the part's name in ``ps`` and ``top``, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
