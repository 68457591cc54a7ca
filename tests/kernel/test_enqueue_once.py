"""A job that waits once, however many ask for it."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from django.db import connection, connections, transaction

from house.parallel import together
from markethall.kernel import jobs

pytestmark = pytest.mark.django_db(transaction=True)
_BLOCKED = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted)"


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM procrastinate_jobs WHERE status = 'todo'")
        return int(cursor.fetchone()[0])


def test_of_many_at_once_one_is_kept() -> None:
    answers = together([partial(jobs.enqueue_once, "settle_inbox")] * 8)
    assert answers == [None] * 8
    assert waiting() == 1


def test_a_twin_that_commits_first_is_the_one_that_is_kept() -> None:
    """The other has looked before the twin was there, and waits for its end."""
    mine: list[int] = []
    has_session = threading.Event()
    ended: list[Exception | None] = []

    def other() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                mine.append(cursor.fetchone()[0])
            has_session.set()
            jobs.enqueue_once("settle_inbox")
            with connection.cursor() as cursor:  # and its session still works
                cursor.execute("SELECT 1")
            ended.append(None)
        except Exception as error:
            ended.append(error)
        finally:
            has_session.set()
            connections.close_all()

    twin = jobs._Job("default", "settle_inbox", "{}", queueing_lock="settle_inbox")
    thread = threading.Thread(target=other)
    with transaction.atomic():
        jobs._defer([twin])
        thread.start()
        assert has_session.wait(60)
        with connection.cursor() as cursor:
            while thread.is_alive():
                cursor.execute(_BLOCKED, mine)
                if cursor.fetchone()[0]:
                    break
        assert not ended
    thread.join(60)
    assert ended == [None]
    assert waiting() == 1


def test_within_a_transaction_it_refuses_and_breaks_nothing() -> None:
    with transaction.atomic():
        with pytest.raises(RuntimeError, match="durable"):
            jobs.enqueue_once("settle_inbox")
        jobs.enqueue("settle_inbox")
    assert waiting() == 1
