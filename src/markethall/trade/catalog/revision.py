"""What was made of the catalogue holds until the catalogue changes.

Triggers give every transaction that writes what is for sale, or on what terms, a mark of its own.
The marks together name the state that was committed, so that nothing outlives a change, whichever
process made it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import TypeVar

from django.db import connection

ResultT = TypeVar("ResultT")
# The revision as a column, for a statement that is made anyway.
REVISION = "(SELECT coalesce(string_agg(mark::text, ' ' ORDER BY slot), '') FROM catalog_revision)"
_at: ContextVar[str] = ContextVar("revision", default="")


def revision() -> str:
    """Another text after each change to what is for sale; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {REVISION}")
        (marks,) = cursor.fetchone()
    return str(marks)


@contextmanager
def as_of(marks: str) -> Iterator[None]:
    """Within this, what is kept is given as of the revision that was read just now, and is not
    asked for once more. Empty where none was read."""
    token = _at.set(marks)
    try:
        yield
    finally:
        _at.reset(token)


def read_at() -> str:
    """The revision that ``as_of`` holds; empty outside."""
    return _at.get()


def kept(make: Callable[..., ResultT]) -> Callable[..., ResultT]:
    """``make``, whose last 128 results are given again while the catalogue stays as it is.

    It reads nothing else that changes, takes what is hashable, and returns what nobody changes.
    """

    @lru_cache(maxsize=128)
    def made(at: str, *args: Hashable, **kwargs: Hashable) -> ResultT:
        return make(*args, **kwargs)

    @wraps(make)
    def asked(*args: Hashable, **kwargs: Hashable) -> ResultT:
        # Read before anything is made, so that what is made is at least as new; once for whatever
        # is made of parts that are kept themselves.
        at = read_at() or revision()
        with as_of(at):
            return made(at, *args, **kwargs)

    return asked
