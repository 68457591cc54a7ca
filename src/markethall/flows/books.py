"""Checking the books from the console: a job that tells how far it is."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.foundation.ledger.check import check_ledger, check_names, checksum
from markethall.foundation.ledger.models import BookCheck
from markethall.foundation.ledger.statements import last_check
from markethall.kernel import clock, jobs, live

TOPIC = "books"
# A check that has told nothing for so long died with its worker.
_ABANDONED_AFTER = timedelta(minutes=30)


def request_check(*, actor_id: uuid.UUID | None) -> BookCheck:
    """Have the books checked by a job, unless that is under way already."""
    with transaction.atomic():
        running = last_check()
        if running and is_running(running):
            return running
        check = BookCheck.objects.create(
            actor_id=actor_id, requested_at=clock.now(), total=len(check_names())
        )
        record("books.check", actor_id=actor_id, subject_type="book_check", subject_id=check.pk)
        jobs.enqueue("check_books", check_id=str(check.pk))
    return check


def is_running(check: BookCheck) -> bool:
    """Whether a check has neither ended nor been given up."""
    return not check.finished_at and clock.now() - check.requested_at < _ABANDONED_AFTER


def run_check(check_id: uuid.UUID) -> None:
    """The job: check everything, telling staff after each step. Starts anew when run twice."""
    faults: list[str] = []
    rows = BookCheck.objects.filter(pk=check_id)
    names = check_names()
    for done, result in enumerate(check_ledger(), start=1):
        faults += result.faults
        following = names[done] if done < len(names) else "checksum"
        rows.update(done=done, current=following, faults=faults)
        live.notify(TOPIC, kind="progress", user_id=None)
    rows.update(checksum=checksum(), current="", finished_at=clock.now())
    live.notify(TOPIC, kind="finished", user_id=None)
