from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from markethall.foundation.files.models import StoredFile


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
