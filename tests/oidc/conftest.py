from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
CALLBACK = "http://testserver/oauth/oidc/callback"


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """The address of a real OpenID Connect server, started for these tests. Without Node.js they
    are skipped; where CI=true, they fail."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        missing = "Node.js is missing: these tests sign in at a server of npm's oidc-provider."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    if not (_HERE / "node_modules" / "oidc-provider").exists():
        subprocess.run([npm, "ci", "--loglevel=error"], cwd=_HERE, check=True, timeout=300)
    process = subprocess.Popen(
        [node, "server.mjs", CALLBACK], cwd=_HERE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)
