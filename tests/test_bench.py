"""The benchmark's replays are the recorded SQL, with what was unique kept unique."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from bench.figures import percentile
from bench.pgbench import ShapesDiffer, recording, script, shape
from django.db import connection


def insert(identity: str, at: str = "2026-01-02 03:04:05.6+00:00", n: int = 1) -> str:
    document = json.dumps({"id": identity})
    return f"INSERT INTO t VALUES ('{identity}', '{identity}'::uuid, '{document}', '{at}', {n})"


def test_what_differs_between_recordings_is_unique_in_each_transaction() -> None:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    same = "SELECT 1 FROM u WHERE id = '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'"
    text = script(
        ["BEGIN", same, insert(first), "COMMIT"], ["BEGIN", same, insert(second), "COMMIT"]
    )
    assert first not in text
    found = re.findall(r"\b[0-9a-f]{20}:n", text)
    assert len(found) == 3
    assert len(set(found)) == 1
    assert f"{same};" in text
    assert text.splitlines()[2] == "BEGIN;"


def test_an_id_is_the_same_with_hyphens_and_without() -> None:
    def sent(identity: uuid.UUID) -> list[str]:
        return [f"SELECT '{identity.hex}'::uuid", f'SELECT \'[{{"id": "{identity}"}}]\'::jsonb']

    found = re.findall(r"\b[0-9a-f]{20}:n", script(sent(uuid.uuid4()), sent(uuid.uuid4())))
    assert len(found) == 2
    assert len(set(found)) == 1


def test_times_and_numbers_stay_as_recorded() -> None:
    identity = str(uuid.uuid4())
    text = script([insert(identity)], [insert(identity, "2027-01-02 03:04:05+00:00", 7)])
    assert insert(identity) in text


def test_other_sql_is_refused() -> None:
    with pytest.raises(ShapesDiffer):
        script(["SELECT 1"], ["SELECT 1", "SELECT 2"])
    with pytest.raises(ShapesDiffer):
        script(["SELECT a FROM t"], ["SELECT b FROM t"])


def test_a_shape_has_no_values() -> None:
    assert shape(insert(str(uuid.uuid4()))) == shape(insert(str(uuid.uuid4()), n=12))


@pytest.mark.django_db
def test_statements_are_recorded_as_they_were_sent() -> None:
    with recording() as statements, connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", ["it's"])
    assert statements == ["SELECT 'it''s'::text"]
    assert not connection.force_debug_cursor


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile([5, 1, 4, 2, 3], 0.95) == 5
    assert percentile([], 0.5) == 0.0
