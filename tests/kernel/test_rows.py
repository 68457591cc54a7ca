"""Locks, pages of lists, events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from markethall.kernel import events
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import LockOutsideTransaction, lock, lock_one
from markethall.kernel.models import Tries
from markethall.kernel.pagination import encode, paginate


def rows(count: int) -> None:
    Tries.objects.bulk_create(
        Tries(bucket=f"b{n:03}", count=n % 3, resets_at=timezone.now() + timedelta(hours=1))
        for n in range(count)
    )


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_an_error() -> None:
    with pytest.raises(LockOutsideTransaction):
        lock(Tries.objects.all())


@pytest.mark.django_db
def test_locks_come_in_the_order_of_primary_keys() -> None:
    rows(5)
    with transaction.atomic():
        locked = lock(Tries.objects.order_by("-bucket"))
    assert [row.pk for row in locked] == sorted(row.pk for row in locked)
    with pytest.raises(Tries.DoesNotExist), transaction.atomic():
        lock_one(Tries.objects.filter(bucket="none"))
    with pytest.raises(Tries.MultipleObjectsReturned), transaction.atomic():
        lock_one(Tries.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize("order", [["id"], ["-id"], ["count", "-id"], ["-count", "id"]])
def test_pages_cover_every_row_once_in_order(order: list[str]) -> None:
    rows(23)
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(10):
        page = paginate(Tries.objects.all(), order=order, limit=5, cursor=cursor)
        seen += [row.pk for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == list(Tries.objects.order_by(*order).values_list("pk", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cursor", ["%%%", "abc", encode([1, 2]), encode([{"a": 1}]), encode(["x"])]
)
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    rows(3)
    with pytest.raises(Invalid):
        paginate(Tries.objects.all(), order=["-id"], limit=2, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_page_is_bounded(limit: int) -> None:
    with pytest.raises(Invalid):
        paginate(Tries.objects.all(), order=["-id"], limit=limit, cursor=None)


@dataclass(frozen=True)
class Happened(events.Event):
    what: str


@pytest.mark.django_db(transaction=True)
def test_reactions_run_in_order_in_the_events_transaction() -> None:
    before = dict(events._table)
    heard: list[str] = []
    events.install(
        {Happened: (lambda e: heard.append(f"1 {e.what}"), lambda e: heard.append(f"2 {e.what}"))}
    )
    try:
        with pytest.raises(RuntimeError, match="in the transaction"):
            events.publish(Happened("x"))
        with transaction.atomic():
            events.publish(Happened("x"))
        assert heard == ["1 x", "2 x"]
    finally:
        events.install(before)
