from __future__ import annotations

import select

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A persistent connection is tested before each request by looking at its socket.

    An idle connection has nothing to read; one that the server closed reads as ended. Django's
    own test asks ``SELECT 1`` instead, which every request would wait for. A peer that vanished
    without a word is found by TCP keep-alive. A connection on which something went wrong is not
    used again: what was prepared on it may be older than a table's columns.
    """

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed or self.errors_occurred:
            return False
        try:
            readable, _, _ = select.select([self.connection.fileno()], [], [], 0)
        except (OSError, ValueError, psycopg.Error):
            return False
        return not readable
