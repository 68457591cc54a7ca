"""Fail when a migration is missing, or a page made from the code is stale."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from tools.settings_page import PAGE, settings_page

SNAPSHOT = Path("docs/openapi.json")


def main() -> int:
    # Nothing here touches a database; the settings only need a folder for their secrets.
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@localhost/none")
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp())
    import django

    django.setup()
    return missing_migrations() + stale_snapshot() + stale_settings_page()


def missing_migrations() -> int:
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    ours = {a.label for a in apps.get_app_configs() if a.name.startswith("markethall.")}
    loader = MigrationLoader(None)
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(
        graph=loader.graph
    )
    missing = sorted(ours & set(changes))
    if missing:
        print(f"Migrations are missing in: {', '.join(missing)}. Run makemigrations.")
    return len(missing)


def stale_snapshot() -> int:
    from markethall.interfaces.api.document import openapi_document

    now = openapi_document()
    if SNAPSHOT.exists() and json.loads(SNAPSHOT.read_text()) == now:
        return 0
    print(f"{SNAPSHOT} is stale. Renew it with: make openapi")
    return 1


def stale_settings_page() -> int:
    if PAGE.exists() and PAGE.read_text() == settings_page():
        return 0
    print(f"{PAGE} is stale. Renew it with: make docs")
    return 1


if __name__ == "__main__":
    sys.exit(min(main(), 1))
