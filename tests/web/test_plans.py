"""No list reads a whole table: each finds its page through an index, whatever it is filtered by."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from bench import rows
from django.core.cache import cache
from django.db import connection, transaction

from house.people import client_for, make_user, page_client
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role

_ROWS = 10_000
_AT_MOST = 1_000  # rows that one scan may read for a page
_EMAIL = "row-77@28dd2c7955ce926456240b2ff0100bde.example"

API = (
    "/api/images",
    "/api/images?sort=favorites",
    "/api/images?sort=oldest",
    "/api/images?status=failed",
    "/api/images?status=failed&sort=favorites",
    "/api/credits/history",
    "/api/products",
    "/api/products?sort=newest",
    "/api/products?sort=price",
    "/api/products?sort=-price",
    "/api/orders",
    "/api/orders?status=PAID",
    f"/api/orders?q={_EMAIL}",
    "/api/orders?q=B-77",
    "/api/payments/transactions",
    "/api/payments/transactions?status=cancelled",
    "/api/webhooks/events",
    "/api/users",
    "/api/users?search=row-777@",
    "/api/users?search=ROW-777",
    "/api/audit",
    "/api/audit?action=nobody.",
    "/api/dev/outbox",
    f"/api/dev/outbox?to={_EMAIL}",
)
PAGES = (
    "/plushify/gallery",
    "/plushify/gallery?status=failed&sort=favorites",
    "/plushify/history",
    "/console/products",
    "/console/products?status=draft",
    "/console/products?q=piece-77",
    "/console/products?q=PIECE-777",
    "/console/products?q=ring",
    "/console/products?q=solitaire",
    "/console/products?q=solitaire&storefront=elysium&status=draft",
    "/console/reviews",
    "/console/reviews?stars=1",
    "/console/reviews?stars=2",
    "/console/reviews?state=hidden",
    "/console/reviews?product=piece-77",
    "/console/stock",
    "/console/stock?show=low",
    "/console/stock?q=PIECE-77",
    "/console/stock?q=solitaire",
    "/console/sales?days=7",
    "/console/leads",
    "/console/leads?turn=us",
    "/console",
    "/console/todo",
    "/console/figures",
    "/console/search?q=row-777",
    f"/console/search?q={_EMAIL}",
    "/console/orders",
    "/console/orders?status=PAID",
    "/console/orders?storefront=elysium",
    "/console/orders?storefront=mybeing",
    "/console/orders?storefront=elysium&status=FULFILLED",
    "/console/orders?since=2020-01-01&until=2020-02-01",
    "/console/payments",
    "/console/payments?status=cancelled",
    "/console/payments?gateway=polar",
    "/console/payments?gateway=nobody",
    "/console/payments?currency=JPY",
    "/console/refunds?status=failed",
    "/console/pictures",
    "/console/pictures?status=failed",
    "/console/pictures?status=open",
    "/console/pictures?provider=nobody",
    "/console/users",
    "/console/users?role=vendor",
    "/console/users?state=suspended",
    "/console/users?state=erased",
    "/console/ledger",
    "/console/ledger?kind=bonus",
    "/console/ledger?kind=deduction&since=2020-01-01",
    "/console/ledger/accounts",
    "/console/ledger/accounts?code=wallet:",
    "/console/inbox?status=dead",
    "/console/inbox?provider=polar",
    "/console/inbox?type=refund.failed",
    "/console/mails?status=failed",
    "/console/mails?template=nothing",
    "/console/audit?subject=nobody",
    "/console/audit?action=nobody.",
    "/console/jobs",
    "/console/jobs?state=failed",
)
# Small by their nature, or read by the primary key of something of the page.
_SMALL = {"django_session", "platform_setting", "ledger_bookcheck", "catalog_offer"}


@pytest.fixture(scope="module")
def staff(django_db_setup: None, django_db_blocker: Any) -> Iterator[User]:
    """Somebody of the staff, who owns much, in a hall with many rows in every table."""
    with django_db_blocker.unblock():
        block = transaction.atomic()
        block._from_testcase = True
        with block:
            user = make_user(role=Role.SUPER_ADMIN, credits=100)
            rows.pictures_and_history(user.pk, first=1, last=_ROWS)
            rows.everything(user.pk, first=1, last=_ROWS)
            rows.goods(first=1, last=_ROWS)
            rows.reviews(first=1, last=_ROWS)
            rows.gather_statistics()
            yield user
            transaction.set_rollback(True)


@pytest.fixture
def plans(staff: User, db: None) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The plans of what the test asks the database, as they were carried out."""
    found: list[tuple[str, dict[str, Any]]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(("SELECT", "WITH")) and "FOR UPDATE" not in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0]
            found.append((sql, (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
        return execute(sql, params, many, context)

    cache.clear()
    with connection.execute_wrapper(explain):
        yield found


def scans(plan: dict[str, Any]) -> Iterator[tuple[dict[str, Any], float]]:
    """Each node that reads a table, with how many rows it read."""
    if "Relation Name" in plan:
        removed = plan.get("Rows Removed by Filter", 0) + plan.get(
            "Rows Removed by Index Recheck", 0
        )
        yield plan, (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from scans(part)


def must_be_bounded(plans: list[tuple[str, dict[str, Any]]]) -> None:
    assert plans
    for sql, plan in plans:
        for node, read in scans(plan):
            if node["Relation Name"] not in _SMALL:
                assert read <= _AT_MOST, f"{node['Node Type']} reads {read:.0f} rows: {sql}"


@pytest.mark.parametrize("path", API)
def test_a_list_of_the_api_reads_little(path: str, staff: User, plans: Any) -> None:
    answer = client_for(staff).get(path)
    assert answer.status_code == 200, answer.content
    must_be_bounded(plans)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_little(path: str, staff: User, plans: Any) -> None:
    answer = page_client(staff).get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.content
    must_be_bounded(plans)


def test_reading_a_whole_table_is_noticed(staff: User, plans: Any) -> None:
    assert not User.objects.filter(name=uuid.uuid4().hex).exists()
    with pytest.raises(AssertionError, match="reads 10"):
        must_be_bounded(plans)
