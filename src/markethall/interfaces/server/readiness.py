"""Tables and static files, brought up to date only when they are not: what a start waits for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection

from markethall.interfaces.server.fit import check_fits


def migrate_when_needed() -> bool:
    """Apply missing migrations; False when there were none. Raises Unfit, before it changes
    anything, when the database was made by others than this code's.

    The digest of the migrations that were applied last is kept as the comment of Django's own
    table, so that a start costs one query instead of loading every migration.
    """
    wanted = migrations_digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regclass('django_migrations'), 'pg_class')")
        if cursor.fetchone()[0] == wanted:
            return False
    check_fits()
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON TABLE django_migrations IS '{wanted}'")
    return True


def migrations_digest() -> str:
    """Changes with every migration of every installed application."""
    files = sorted(
        path
        for config in apps.get_app_configs()
        for path in (Path(config.path) / "migrations").glob("*.py")
    )
    return _digest(
        f"{path.parent.parent.name}/{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    )


def collect_static_when_needed() -> bool:
    """Collect, hash and compress static files; False when none has changed since the last time."""
    mark = Path(settings.STATIC_ROOT) / ".collected-from"
    wanted = _digest(
        [version("whitenoise")],
        (
            _stamp(name, Path(storage.path(name)))
            for finder in get_finders()
            for name, storage in finder.list([])
        ),
    )
    if mark.exists() and mark.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(wanted)
    return True


def _stamp(name: str, path: Path) -> str:
    found = path.stat()
    return f"{name}/{path.name}:{found.st_size}:{found.st_mtime_ns}"


def _digest(*groups: Iterable[str]) -> str:
    hashed = hashlib.sha256()
    for group in groups:
        for stamp in sorted(group):
            hashed.update(stamp.encode() + b"\n")
    return hashed.hexdigest()
