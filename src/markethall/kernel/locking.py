"""Row locks with one global order: order → payment → subscription → stock → ledger account.

Within a kind, rows are locked by ascending primary key, so two transactions that want the same
rows wait for each other instead of deadlocking.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import models, transaction

RowT = TypeVar("RowT", bound=models.Model)


class LockOutsideTransaction(RuntimeError):
    """A lock taken outside a transaction would be gone with the statement that took it."""


def lock(queryset: models.QuerySet[RowT]) -> list[RowT]:
    """Lock the rows of ``queryset`` now, in primary-key order, and return them fresh.

    Raises LockOutsideTransaction unless a transaction is open.
    """
    if not transaction.get_connection(queryset.db).in_atomic_block:
        raise LockOutsideTransaction(f"Lock {queryset.model.__name__} inside transaction.atomic().")
    return list(queryset.order_by("pk").select_for_update(of=("self",)))


def lock_one(queryset: models.QuerySet[RowT]) -> RowT:
    """Lock the single row of ``queryset``; raises the model's DoesNotExist when there is none."""
    rows = lock(queryset)
    if len(rows) != 1:
        return queryset.get()
    return rows[0]
