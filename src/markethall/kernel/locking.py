"""Row locks with one global order: cart → order → payment → subscription → stock → voucher →
ledger account.

Within a kind, rows are locked by ascending primary key, so two transactions that want the same
rows wait for each other instead of deadlocking.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection, models, transaction

from markethall.kernel.errors import Problem

RowT = TypeVar("RowT", bound=models.Model)


class LockOutsideTransaction(RuntimeError):
    """A lock taken outside a transaction would be gone with the statement that took it."""


def lock(queryset: models.QuerySet[RowT]) -> list[RowT]:
    """Lock the rows of ``queryset`` now, in primary-key order, and return them fresh.

    Rows that refer to a locked row can still be added: their foreign keys do not wait for it.
    Raises LockOutsideTransaction unless a transaction is open.
    """
    if not transaction.get_connection(queryset.db).in_atomic_block:
        raise LockOutsideTransaction(f"Lock {queryset.model.__name__} inside transaction.atomic().")
    return list(queryset.order_by("pk").select_for_update(of=("self",), no_key=True))


def lock_row(model: type[RowT], key: uuid.UUID) -> RowT:
    """Lock the row with this primary key and return it fresh, by one plain statement: for paths
    that are run thousands of times. Raises the model's DoesNotExist."""
    for row in lock_rows(model, [key]).values():
        return row
    raise model.DoesNotExist  # type: ignore[attr-defined]


def lock_rows(model: type[RowT], keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, RowT]:
    """Lock the rows with these primary keys, in their order, and return them fresh by key, by one
    plain statement. A key without a row is left out."""
    if not transaction.get_connection().in_atomic_block:
        raise LockOutsideTransaction(f"Lock {model.__name__} inside transaction.atomic().")
    table = connection.ops.quote_name(model._meta.db_table)
    query = f"SELECT * FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"  # noqa: S608, a table of ours
    return {row.pk: row for row in model._default_manager.raw(query, [list(keys)])}


def lock_one(
    queryset: models.QuerySet[RowT], *, missing: type[Problem] | Problem | None = None
) -> RowT:
    """Lock the single row of ``queryset``; raises ``missing``, or else the model's DoesNotExist,
    when there is none."""
    rows = lock(queryset)
    if not rows and missing is not None:
        raise missing
    if len(rows) != 1:
        return queryset.get()
    return rows[0]


class Busy(Exception):
    """Another session is at what only one may do."""


@contextmanager
def alone(what: str) -> Iterator[None]:
    """The only session of the whole hall that is within ``alone(what)``: for what takes long and
    is no transaction. Raises Busy at once when there is another; a session that ends lets go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [what])
        if not cursor.fetchone()[0]:
            raise Busy(what)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [what])
