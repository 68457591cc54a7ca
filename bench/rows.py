"""Rows by the million, and their removal; the books refuse both, so their guards sleep."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TABLES = (
    "ledger_transaction",
    "ledger_hold",
    "ledger_entry",
    "imaging_generation",
    "orders_order",
)


@contextmanager
def _asleep() -> Iterator[Any]:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        yield cursor


def pictures_and_history(user_id: uuid.UUID, *, first: int, last: int) -> None:
    """Give a person pictures ``first`` to ``last``, each with the credit that it cost: one row
    each of generation, hold, transaction and entry."""
    from markethall.foundation.ledger import accounts

    wallet = accounts.wallet(user_id).id
    values = {"user": user_id, "wallet": wallet, "first": first, "last": last}
    with _asleep() as cursor:
        for statement in (_TRANSACTIONS, _HOLDS, _ENTRIES, _GENERATIONS):
            cursor.execute(statement, values)


def gather_statistics() -> None:
    """What autovacuum does in its own time: without it, plans are those of empty tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def drop_waiting_pictures() -> None:
    """Remove the jobs and pictures that a benchmark asked for, so that nobody paints them."""
    with _asleep() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'run_generation'")
        cursor.execute("DELETE FROM imaging_generation WHERE status = 'pending'")


def drop_waiting_events() -> None:
    """Remove the webhooks that a benchmark sent, and the job that would settle them."""
    with _asleep() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'settle_inbox'")
        cursor.execute("DELETE FROM payments_inboxevent WHERE status = 'received'")


def _id(area: str) -> str:
    """An id of row ``n``, increasing with it, of its own in each area."""
    return f"('01900000-{area}-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"


_SERIES = "FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n"
_AT = "now() - interval '400 days' + n * interval '30 seconds'"
_TRANSACTIONS = f"""
INSERT INTO ledger_transaction (id, key, kind, reference, actor_id, metadata, posted_at)
SELECT {_id("0001")}, 'bench:' || n, 'deduction', 'bench:' || n, %(user)s,
       '{{"style": "cute-fluffy"}}', {_AT} {_SERIES}"""
_HOLDS = f"""
INSERT INTO ledger_hold (id, wallet_id, opened_by_id, settled_by_id, amount, state)
SELECT {_id("0002")}, %(wallet)s, {_id("0001")}, {_id("0003")}, 1, 'captured' {_SERIES}"""
_ENTRIES = f"""
INSERT INTO ledger_entry (transaction_id, account_id, amount, balance_after)
SELECT {_id("0001")}, %(wallet)s, -1, 1000000000 - n {_SERIES}"""
_GENERATIONS = f"""
INSERT INTO imaging_generation (
    id, user_id, original_id, result_id, hold_id, style, size, prompt, status, is_favorite,
    provider, attempts, processing_ms, error_message, created_at
)
SELECT {_id("0004")}, %(user)s, {_id("0005")}, {_id("0006")}, {_id("0002")}, 'cute-fluffy',
       'medium', 'a bear, number ' || n, 'completed', n %% 10 = 0, 'local', 1, 1500, '', {_AT}
       {_SERIES}"""
