"""Whether the tables of a database are those that this code's migrations made."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader

# Of each table its columns, and whether a row needs to be given a value for them.
_COLUMNS = """
    SELECT table_name, column_name, is_nullable = 'NO' AND column_default IS NULL
           AND is_identity = 'NO' AND is_generated = 'NEVER'
      FROM information_schema.columns WHERE table_schema = current_schema()
"""
_NAMED = 3  # of what does not fit


class Unfit(Exception):
    """The database was made by other migrations. Says in one line what is wrong."""


def check_fits() -> None:
    """Compare the migrations that were applied with those of this code, and the tables with what
    they make. Migrations that are still to be applied are no fault. Writes nothing.

    Compares columns by their names, not by types or constraints. Raises Unfit.
    """
    loader = MigrationLoader(connection)
    faults = list(_unknown(loader)) or list(_inconsistent(loader)) or list(_other_columns(loader))
    if faults:
        more = f", and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
        raise Unfit(f"{', '.join(faults[:_NAMED])}{more}")


def _unknown(loader: MigrationLoader) -> Iterator[str]:
    installed = {config.label for config in apps.get_app_configs()}
    for app, name in sorted(loader.applied_migrations):
        if app in installed and (app, name) not in loader.disk_migrations:
            yield f"its migration {app}.{name} is unknown"


def _inconsistent(loader: MigrationLoader) -> Iterator[str]:
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as error:
        yield str(error).rstrip(".")


def _other_columns(loader: MigrationLoader) -> Iterator[str]:
    applied = [key for key in loader.applied_migrations if key in loader.graph.nodes]
    if not applied:
        return
    there: dict[str, dict[str, bool]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, is_needed in cursor.fetchall():
            there.setdefault(table, {})[column] = is_needed
    state = loader.project_state(applied)
    for model in state.apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        table = model._meta.db_table
        if table not in there:
            yield f"it has no table {table}"
            continue
        made = {field.column for field in model._meta.local_concrete_fields}
        yield from (f"it has no column {table}.{name}" for name in sorted(made - set(there[table])))
        for name, is_needed in sorted(there[table].items()):
            if is_needed and name not in made:
                yield f"its column {table}.{name} is unknown"
