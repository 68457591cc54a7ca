"""How long the link of an enquiry opens its conversation. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

# After the last message, while the enquiry is open, and once it is won or lost.
OPEN = timedelta(days=180)
CLOSED = timedelta(days=30)
# A link that was just sent opens in any case.
FRESH = timedelta(days=7)


def lasts_until(*, is_closed: bool, last_message_at: datetime, sent_at: datetime) -> datetime:
    """When a link that was sent at ``sent_at`` ends; every message makes it last longer."""
    return max(last_message_at + (CLOSED if is_closed else OPEN), sent_at + FRESH)
