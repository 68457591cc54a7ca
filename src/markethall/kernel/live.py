"""Tell open pages that something changed, once the transaction has committed.

PostgreSQL lets one transaction at a time commit with a notification, its write to disk included.
So the notification follows the commit in a transaction of its own, which writes nothing. A crash
in between loses it: pages that wait for something ask from time to time anyway.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

CHANNEL = "markethall_live"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent as ``{"topic", "type"}`` to the pages of ``user_id``, or to staff when it is
    None."""

    topic: str
    kind: str
    user_id: uuid.UUID | None


def notify(topic: str, *, kind: str, user_id: uuid.UUID | None) -> None:
    """Send ``{"topic", "type"}`` to the pages of ``user_id``, or to staff when it is None.

    Carries no data: whoever hears it asks for the state, with their own rights.
    """
    send([Message(topic, kind, user_id)])


def notify_all(messages: Sequence[tuple[str, str]], *, user_id: uuid.UUID | None) -> None:
    """Send several (topic, kind) to one person, in one statement."""
    send([Message(topic, kind, user_id) for topic, kind in messages])


def send(messages: Sequence[Message]) -> None:
    """Send several messages; all of a transaction go in one statement."""
    payloads = [
        json.dumps(
            {
                "topic": message.topic,
                "type": message.kind,
                "user": str(message.user_id) if message.user_id else None,
            }
        )
        for message in messages
    ]
    # None stands for a block without a savepoint of its own.
    depth = set(connection.savepoint_ids) - {None}
    for at, hook, *_ in connection.run_on_commit:
        if isinstance(hook, _Sending) and at - {None} == depth:
            hook.payloads.update(dict.fromkeys(payloads))
            return
    transaction.on_commit(_Sending(dict.fromkeys(payloads)), robust=True)


@dataclass(slots=True)
class _Sending:
    """What is sent after the commit: each payload once, in the order they came."""

    payloads: dict[str, None]

    def __call__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload",
                [CHANNEL, list(self.payloads)],
            )
