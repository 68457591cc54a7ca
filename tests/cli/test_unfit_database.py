"""A database that other migrations made: said in one line, and left as it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from typer.testing import CliRunner

from markethall.interfaces.cli import doctor
from markethall.interfaces.cli.main import app
from markethall.interfaces.cli.setup import CannotStart, bring_tables_up_to_date
from markethall.interfaces.server.fit import check_fits

pytestmark = pytest.mark.django_db

OTHERS = {
    "a migration that was squashed": (
        "INSERT INTO django_migrations (app, name, applied) VALUES ('catalog', '0099_more', now())",
        "its migration catalog.0099_more is unknown",
    ),
    "a missing column": (
        "ALTER TABLE leads_lead DROP COLUMN phone",
        "it has no column leads_lead.phone",
    ),
    "a column that nobody fills": (
        "ALTER TABLE leads_lead ADD COLUMN old text NOT NULL",
        "its column leads_lead.old is unknown",
    ),
    "a missing table": ("DROP TABLE leads_leadmessage", "it has no table leads_leadmessage"),
    "a migration without what it follows": (
        "DELETE FROM django_migrations WHERE app = 'leads' OR app = 'files'",
        "is applied before its dependency",
    ),
}


def snapshot() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT app, name FROM django_migrations UNION ALL SELECT table_name, column_name"
            " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
        )
        return list(cursor.fetchall())


def test_what_this_code_has_made_fits() -> None:
    check_fits()


@pytest.mark.parametrize("name", OTHERS)
def test_another_database_is_refused_and_left_as_it_is(
    name: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement, said = OTHERS[name]
    with connection.cursor() as cursor:
        cursor.execute(statement)
    before = snapshot()
    with pytest.raises(CannotStart) as refused:
        bring_tables_up_to_date(settings.ENVIRONMENT)
    (line,) = str(refused.value).splitlines()
    assert said in line and "Nothing was changed." in line
    assert snapshot() == before

    monkeypatch.setattr(doctor, "prepare", lambda **_: None)
    monkeypatch.setattr(doctor, "EXAMINATIONS", [doctor.database])
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert said in done.output.replace("\n", " ") and "1 to mend" in done.output


def test_what_to_do_depends_on_where_the_data_lies(settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(OTHERS["a missing column"][0])
    mends = {
        "make run DATA=": {"database_url": ""},
        "Name an empty database": {"database_url": "postgresql://db/hall"},
        "upgrade from there": {"markethall_env": "production"},
    }
    for mend, changes in mends.items():
        with pytest.raises(CannotStart, match=mend):
            bring_tables_up_to_date(settings.ENVIRONMENT.model_copy(update=changes))


def test_tables_that_are_only_behind_are_brought_up_to_date() -> None:
    """An app that is still to come is no fault."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'leads'")
    check_fits()
