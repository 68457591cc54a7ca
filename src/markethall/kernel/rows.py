"""New rows by one plain statement, for paths that are run thousands of times: what the ORM works
out anew for each insert is worked out once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.db import connection, models


def insert(*rows: models.Model) -> None:
    """Insert new rows, of one model or of several, by one statement; foreign keys among them hold
    at its end. Raises IntegrityError."""
    if not rows:
        return
    values = [value for row in rows for value in _values(row)]
    with connection.cursor() as cursor:
        cursor.execute(_statement(tuple(type(row) for row in rows)), values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def as_json(records: Iterable[Mapping[str, Any]]) -> str:
    """Records as one parameter, for ``jsonb_to_recordset``: a list of values for each column costs
    the driver several times as much, most of all texts with quotes in them."""
    return json.dumps(list(records), default=str)


def _values(row: models.Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for field in row._meta.concrete_fields
    ]


@lru_cache(maxsize=256)
def _statement(of_models: tuple[type[models.Model], ...]) -> str:
    """One INSERT a model, all but the last of them in a WITH."""
    inserts = [_insert(model, len(list(same))) for model, same in groupby(of_models)]
    *before, last = inserts
    named = ", ".join(f"part{number} AS ({each})" for number, each in enumerate(before))
    return f"WITH {named} {last}" if named else last


def _insert(model: type[models.Model], count: int) -> str:
    quoted = connection.ops.quote_name
    fields = model._meta.concrete_fields
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    places = f"({', '.join(['%s'] * len(fields))})"
    table = quoted(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([places] * count)}"  # noqa: S608, names of ours
