"""Many rows by one plain statement, for paths that are run thousands of times: what the ORM works
out anew for each insert is worked out once, and the rows are one parameter.

A statement with a place for each value would be another text for each number of rows, parsed and
planned anew; a list of values for each column costs the driver several times as much as JSON, most
of all texts with quotes in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, models
from psycopg.types.json import Jsonb


def insert(*rows: models.Model) -> None:
    """Insert new rows, of one model or of several, by one statement; foreign keys among them hold
    at its end. Raises IntegrityError."""
    if not rows:
        return
    parts = [(model, list(same)) for model, same in groupby(rows, type)]
    statement = _statement(tuple(model for model, _ in parts))
    with connection.cursor() as cursor:
        cursor.execute(statement, [as_json(map(_record, same)) for _, same in parts])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def as_json(records: Iterable[Mapping[str, Any]]) -> str:
    """Records as one parameter, for ``jsonb_to_recordset``."""
    return json.dumps(list(records), default=_as_text)


def _as_text(value: object) -> Any:
    if isinstance(value, Jsonb):
        return value.obj
    if isinstance(value, (UUID, date, Decimal)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not for the database's JSON")


def _record(row: models.Model) -> dict[str, Any]:
    return {
        str(field.column): field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in row._meta.concrete_fields
    }


@lru_cache(maxsize=256)
def _statement(of_models: tuple[type[models.Model], ...]) -> str:
    """One INSERT a model, all but the last of them in a WITH."""
    *before, last = map(_insert, of_models)
    named = ", ".join(f"part{number} AS ({each})" for number, each in enumerate(before))
    return f"WITH {named} {last}" if named else last


def _insert(model: type[models.Model]) -> str:
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in model._meta.concrete_fields)
    table = quoted(model._meta.db_table)
    given = f"jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {given}"  # noqa: S608, ours
