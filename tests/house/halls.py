"""Halls of their own, each in a process and a data folder, worked by the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def markethall(data: Path, *arguments: str, **variables: str) -> str:
    """Run the command in a hall of its own; returns what it prints. Raises when it fails."""
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "SITE_URL"}}
    done = subprocess.run(
        [sys.executable, "-m", "markethall", *arguments],
        env={**environment, "DATA_DIR": str(data), **variables},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout
