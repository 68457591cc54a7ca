"""Events: what has happened, told within the transaction in which it happened.

``flows/reactions.py`` holds the one table from event to functions and installs it here. A
reaction that must wait for the commit, or call a provider, enqueues a job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction


class Event:
    """Base of all events: frozen dataclasses that carry ids, named in the past tense."""


Reaction = Callable[[Any], None]
_table: dict[type[Event], tuple[Reaction, ...]] = {}


def install(table: Mapping[type[Event], Sequence[Reaction]]) -> None:
    """Make ``table`` the reactions from now on."""
    _table.clear()
    _table.update({event: tuple(reactions) for event, reactions in table.items()})


def publish(event: Event) -> None:
    """Run the reactions to ``event``, in the table's order, in the caller's transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"Publish {type(event).__name__} in the transaction that made it true.")
    for reaction in _table.get(type(event), ()):
        reaction(event)
