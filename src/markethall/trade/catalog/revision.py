"""What was made of the catalogue holds until the catalogue changes.

Triggers give every transaction that writes what lists of products show a mark of its own. The
marks together name the state that was committed, so that nothing outlives a change, whichever
process made it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import TypeVar

from django.db import connection

ResultT = TypeVar("ResultT")
_at: ContextVar[str] = ContextVar("revision", default="")


def revision() -> str:
    """Another text after each change to what lists of products show; one statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(mark::text, ' ' ORDER BY slot) FROM catalog_revision")
        (marks,) = cursor.fetchone()
    return marks or ""


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
        at = _at.get() or revision()
        token = _at.set(at)
        try:
            return made(at, *args, **kwargs)
        finally:
            _at.reset(token)

    return asked
