"""The books."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from markethall.flows import books


@app.task(name="check_books", queue="default")
def check_books(check_id: str) -> None:
    books.run_check(UUID(check_id))


@app.periodic(cron="10 3 * * *")
@app.task(name="check_books_nightly", queue="default")
def check_books_nightly(timestamp: int) -> None:
    books.request_check(actor_id=None)
