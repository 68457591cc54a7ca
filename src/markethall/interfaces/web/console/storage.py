"""Where files lie, and what the last sweep, move and backup came to."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.files.queries import last_runs, places
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show

_KEEP = 60  # seconds
# Each with its heading, what to know about it where it has never run, and its command.
_RUNS = (
    ("sweep", "Sweep", "Every hour a worker removes files that nothing refers to.", ""),
    ("move", "Move", "Nothing was moved between storages yet.", "markethall move-files"),
    ("backup", "Backup", "Nobody has made a backup yet.", "markethall backup PLACE"),
)


@require_safe
@staff(Permission.JOBS_READ)
def index(request: StaffRequest) -> HttpResponse:
    runs = last_runs()
    context = {
        "title": "Storage",
        "places": cache.get_or_set("console:storage", places, _KEEP),
        "runs": [
            {
                "kind": kind,
                "heading": heading,
                "note": note,
                "command": command,
                "run": runs.get(kind),
            }
            for kind, heading, note, command in _RUNS
        ],
    }
    return show(request, "console/storage.html", context)
