"""A small process beside ``markethall up``: when that one is killed outright, the embedded database
is stopped all the same. It loads nothing before it has to."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

_LET_GO = b"x"
_PARTS_END_WITHIN = 1.0  # seconds


class Keeper:
    """Watches this process until it is let go; what it watches through ends with this process."""

    def __init__(self, data_dir: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(data_dir)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the hall
        )

    def let_go(self) -> None:
        """Leave the database alone from now on."""
        self._process.communicate(_LET_GO)


def watch(data_dir: Path) -> None:
    """Wait for the word; where it never comes, stop the database."""
    if sys.stdin.buffer.read(1) == _LET_GO:
        return
    time.sleep(_PARTS_END_WITHIN)
    from markethall.config.database import stop_embedded_left_behind

    stop_embedded_left_behind(data_dir)


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
