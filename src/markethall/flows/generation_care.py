"""What crashes leave behind: generations without a job, files without a use."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from markethall.content.imaging.actions import OPEN, delete_if_unused
from markethall.content.imaging.models import Generation
from markethall.content.imaging.queries import unused_files
from markethall.flows.generation import JOB, QUEUE
from markethall.foundation.files.actions import YOUNG, sweep_storage
from markethall.kernel import clock, jobs

FORSAKEN_AFTER = timedelta(minutes=5)
UNUSED_AFTER = timedelta(hours=24)


def rescue_generations() -> int:
    """Enqueue a job for every open generation that has none; returns how many."""
    asked_before = clock.now() - FORSAKEN_AFTER
    forsaken = Generation.objects.filter(status__in=OPEN, created_at__lt=asked_before)
    # Read the jobs after the rows: a job that ends in between leaves a row that is not open.
    candidates = list(forsaken.values_list("pk", flat=True))
    alive = jobs.unfinished(JOB, "generation_id") if candidates else set()
    orphans = [pk for pk in candidates if str(pk) not in alive]
    for generation_id in orphans:
        jobs.enqueue(JOB, queue=QUEUE, generation_id=str(generation_id))
    return len(orphans)


def sweep_files() -> int:
    """Delete uploads that nobody used for a day, and files without a row; returns how many."""
    swept = 0
    for file_id in unused_files(clock.now() - UNUSED_AFTER):
        with transaction.atomic(durable=True):
            swept += delete_if_unused(file_id)
    return swept + sweep_storage(timezone.now() - YOUNG)
