from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", ["setup-stripe", "serve"])
def test_a_database_without_tables_is_named_with_its_mend(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "markethall", command],
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0
    assert "markethall migrate" in done.stderr and "Traceback" not in done.stderr, done.stderr
