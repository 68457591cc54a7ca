"""Tell open pages that something changed, once the transaction has committed.

PostgreSQL lets one transaction at a time commit with a notification, its write to disk included.
So the notification follows the commit in a transaction of its own, which writes nothing. A crash
in between loses it: pages that wait for something ask from time to time anyway.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from django.db import connection, transaction

CHANNEL = "markethall_live"


def notify(topic: str, *, kind: str, user_id: uuid.UUID | None) -> None:
    """Send ``{"topic", "type"}`` to the pages of ``user_id``, or to staff when it is None.

    Carries no data: whoever hears it asks for the state, with their own rights.
    """
    notify_all([(topic, kind)], user_id=user_id)


def notify_all(messages: Sequence[tuple[str, str]], *, user_id: uuid.UUID | None) -> None:
    """Send several (topic, kind) at once, in one statement."""
    user = str(user_id) if user_id else None
    payloads = [
        json.dumps({"topic": topic, "type": kind, "user": user}) for topic, kind in messages
    ]
    transaction.on_commit(lambda: _send(payloads), robust=True)


def _send(payloads: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [CHANNEL, payloads]
        )
