"""P7: CPU seconds of one plush picture on one core, by style."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from bench.figures import Figure, median
from bench.hall import ROOT

_TIMES = 3


def run() -> Iterator[Figure]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.one_picture", str(_TIMES)],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    for style, times in json.loads(done.stdout.splitlines()[-1]).items():
        yield Figure(
            "P7", f"plush picture of 1024 px, {style}", median(times), "CPU s", target=2,
            at_most=True, note=f"median of {_TIMES}, from {min(times):.2f} to {max(times):.2f}",
        )  # fmt: skip
