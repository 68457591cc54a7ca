"""The one source of time. In the sandbox it can be turned; in production it cannot.

The turn is kept in ``clock.json`` in the data folder, so that every process of one machine sees
it with its next call.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

_NAME = "clock.json"


class ClockIsFixed(RuntimeError):
    """Somebody tried to turn the clock of production."""


def now() -> datetime:
    """The time, with its zone (UTC), as Markethall sees it."""
    real = timezone.now()
    return real + offset() if settings.SANDBOX else real


def offset() -> timedelta:
    """How far the sandbox clock runs ahead of real time."""
    try:
        # Asked for thousands of times a second: without a Path.
        return _read(os.stat(f"{settings.DATA_DIR}/{_NAME}").st_mtime_ns)  # noqa: PTH116
    except FileNotFoundError:
        return timedelta()


def turn(by: timedelta) -> datetime:
    """Turn the sandbox clock forward and return the new time.

    Raises ClockIsFixed outside the sandbox, and ValueError for a turn backwards: what has been
    done cannot be undone by the clock.
    """
    if not settings.SANDBOX:
        raise ClockIsFixed("The clock can be turned in the sandbox only.")
    if by < timedelta():
        raise ValueError("The clock is turned forward only. Use a reset to come back to real time.")
    _write(offset() + by)
    return now()


def reset() -> datetime:
    """Bring the sandbox clock back to real time."""
    if not settings.SANDBOX:
        raise ClockIsFixed("The clock can be turned in the sandbox only.")
    _path().unlink(missing_ok=True)
    return now()


@lru_cache(maxsize=1)
def _read(changed_at: int) -> timedelta:
    return timedelta(seconds=json.loads(_path().read_text())["aheadSeconds"])


def _path() -> Path:
    return Path(settings.DATA_DIR) / _NAME


def _write(ahead: timedelta) -> None:
    path = _path()
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"aheadSeconds": ahead.total_seconds()}))
    draft.replace(path)
