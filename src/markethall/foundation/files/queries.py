from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from markethall.foundation.files.models import StorageRun, StoredFile
from markethall.foundation.files.storage import registry


@dataclass(frozen=True, slots=True)
class StorageFigures:
    """How many files of one purpose are stored, and how many bytes they have together."""

    purpose: str
    files: int
    bytes: int


def storage_figures() -> list[StorageFigures]:
    """What is stored, by purpose. Reads all rows: keep the answer for a while."""
    rows = (
        StoredFile.objects.values("purpose")
        .annotate(files=Count("pk"), bytes=Sum("size"))
        .order_by("purpose")
    )
    return [StorageFigures(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Place:
    """A storage, and how many files and bytes lie in it. New files go to the one that is
    ``chosen``; of one that is not ``configured``, no file can be read."""

    name: str
    files: int
    bytes: int
    chosen: bool
    configured: bool


def places() -> list[Place]:
    """The storages that are configured, the one for new files first, and those that files still
    lie in. Reads all rows: keep the answer for a while."""
    counted = StoredFile.objects.values_list("storage").annotate(Count("pk"), Sum("size"))
    found = {name: (files, size) for name, files, size in counted}
    known = registry.names()
    return [
        Place(name, *found.get(name, (0, 0)), name == registry.chosen(), name in known)
        for name in (*known, *sorted(set(found) - set(known)))
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a kind, and what came of it; ``faults`` are files that need somebody."""

    at: datetime
    data: dict[str, Any]
    faults: int


def last_runs() -> dict[str, Run]:
    """The last sweep, move and backup, by kind; those that never ran are missing."""
    return {
        run.kind: Run(run.at, run.data, run.data.get("faults", run.data.get("damaged", 0)))
        for run in StorageRun.objects.all()
    }
