"""Tell open pages that something changed; delivered when the transaction commits."""

from __future__ import annotations

import json
import uuid

from django.db import connection

CHANNEL = "markethall_live"


def notify(topic: str, *, kind: str, user_id: uuid.UUID | None) -> None:
    """Send ``{"topic", "type"}`` to the pages of ``user_id``, or to staff when it is None.

    Carries no data: whoever hears it asks for the state, with their own rights.
    """
    message = {"topic": topic, "type": kind, "user": str(user_id) if user_id else None}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(message)])
