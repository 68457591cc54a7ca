"""A hall of the proofs' own: started as ``make run`` starts it, with its own data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bench.hall import ROOT, Hall, fresh

from markethall.config.database import embedded_url

ADMIN = "the-admin@example.com"


class ProofHall(Hall):
    """A running hall, with a look into its database and its books."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(embedded_url(self.folder), autocommit=True) as db:
            return db.execute(query, values).fetchall()

    def run(self, statement: str) -> None:
        with psycopg.connect(embedded_url(self.folder), autocommit=True) as db:
            db.execute(statement)

    def one(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    def check_ledger(self) -> None:
        """The books, by the command an operator runs."""
        done = subprocess.run(
            [sys.executable, "-m", "markethall", "check-ledger"],
            env=self._environment(),
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def hall(request: pytest.FixtureRequest) -> Iterator[ProofHall]:
    # Not pytest's own folder: as root, the database runs under a user who may not enter it.
    folder = fresh(ROOT / ".cache" / "proofs" / request.module.__name__.rpartition(".")[2])
    # Only what a newcomer's shell has: not the settings of these tests.
    opened = ProofHall(folder, ADMIN_EMAILS=ADMIN, DATABASE_URL="", SANDBOX_WEBHOOK_SECRET="")
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until something holds; fails with what it was instead."""
    import time

    def wait(what: Callable[[], Any], wanted: Any, *, seconds: float = 60) -> None:
        over = time.monotonic() + seconds
        while (found := what()) != wanted:
            assert time.monotonic() < over, f"still {found!r}, not {wanted!r}"
            time.sleep(0.1)

    return wait


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Making the requests of the whole document takes longer than a quick run may."""
    is_quick = config.option.markexpr == "not slow"
    return True if is_quick and collection_path.name == "test_whole_document.py" else None
