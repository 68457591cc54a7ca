from __future__ import annotations

import uuid
from datetime import timedelta

# Within this time, looking again is the same view.
SAME_VIEW = timedelta(minutes=30)
# So long is remembered who looked at what.
KEEP_GLANCES = timedelta(days=90)
# A view counts half as much after so many days, and nothing after the span.
HALF_LIFE_DAYS = 3
TREND_DAYS = 14


def viewer_of(user_id: uuid.UUID | None, visitor: str | None) -> str:
    """The name that somebody's glances stand under: a user's, or of a visitor their digest; empty
    for who is neither."""
    if user_id:
        return f"user:{user_id.hex}"
    return f"visitor:{visitor}" if visitor else ""
