"""What a transactional test leaves behind goes away: every table is again as it was migrated.

Django empties the tables with TRUNCATE and fills in content types and permissions anew: a file
for each table and index, half a second a test. Here the rows go, and those that the migrations
laid come back from a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

# Each table with the columns that are written, not computed.
_TABLES = """
    SELECT quote_ident(relname), string_agg(quote_ident(attname), ', ')
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'django_migrations'
        AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    GROUP BY relname ORDER BY relname
"""
_restore: list[str] = []


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        _restore[:] = _copy_rows()
    yield


def _copy_rows() -> list[str]:
    """Copy the rows that the migrations laid; returns the statements that restore every table."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS as_migrated CASCADE; CREATE SCHEMA as_migrated")
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        laid = []
        for table, columns in tables:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
            if cursor.fetchone() == (True,):
                cursor.execute(f"CREATE TABLE as_migrated.{table} AS SELECT {columns} FROM {table}")
                laid.append(f"INSERT INTO {table} ({columns}) TABLE as_migrated.{table}")
    names = [table for table, _ in tables]
    return [
        "BEGIN",
        # As TRUNCATE does: wait for whoever still writes.
        f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE",
        # The books refuse to be emptied; their guards sleep meanwhile.
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in names),
        *laid,
        "COMMIT",
    ]


def _restore_rows(self: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("; ".join(_restore))


TransactionTestCase._fixture_teardown = _restore_rows  # type: ignore[attr-defined]
