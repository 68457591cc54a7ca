"""Where files lie, and what the last sweep, move and backup came to."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.files.queries import Run, last_runs, places
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show

_KEEP = 60  # seconds
# Each with its heading, and what to know about it where it has never run.
_RUNS = (
    ("sweep", "Sweep", "Every hour a worker removes files that nothing refers to."),
    ("move", "Move", "Files are moved between storages by `markethall move-files`."),
    ("backup", "Backup", "Nobody has made a backup yet: `markethall backup PLACE`."),
)


@require_safe
@staff(Permission.JOBS_READ)
def index(request: StaffRequest) -> HttpResponse:
    runs = last_runs()
    context = {
        "title": "Storage",
        "places": cache.get_or_set("console:storage", places, _KEEP),
        "runs": [_shown(kind, heading, note, runs.get(kind)) for kind, heading, note in _RUNS],
    }
    return show(request, "console/storage.html", context)


def _shown(kind: str, heading: str, note: str, run: Run | None) -> dict[str, Any]:
    return {"kind": kind, "heading": heading, "note": note, "run": run}
