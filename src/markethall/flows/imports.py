"""Products from a file that somebody uploads: stored first, read by a job."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.foundation.files.actions import delete_file, open_file, store_file
from markethall.kernel import clock, jobs
from markethall.kernel.errors import Invalid, PayloadTooLarge, Problem
from markethall.kernel.locking import lock_one
from markethall.trade.catalog.importing.run import import_file
from markethall.trade.catalog.models import ImportRun, ImportState
from markethall.trade.catalog.storefronts import goods_storefronts

JOB = "import_products"
MAX_BYTES = 100 * 1024 * 1024
_TYPES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".zip": "application/zip",
}
_CHUNK = 1024 * 1024


def take_in(
    *,
    file: BinaryIO,
    size: int,
    name: str,
    storefront: str,
    is_dry: bool,
    actor_id: uuid.UUID,
) -> ImportRun:
    """Store an upload and have a job import it. Call it outside a transaction.

    Raises Invalid for another kind of file or storefront, PayloadTooLarge and StorageUnavailable.
    """
    if storefront not in {shop.slug for shop in goods_storefronts()}:
        raise Invalid.field("storefront", "This storefront sells no products.")
    kind = _TYPES.get(Path(name.lower()).suffix)
    if kind is None:
        raise Invalid.field("file", "Import a .csv, .ndjson, .tar.gz or .zip file.")
    if size > MAX_BYTES:
        raise PayloadTooLarge("Import larger files by the command line.")
    file.seek(0)
    stored = store_file(file.read(), purpose="import", content_type=kind, owner_id=None)
    with transaction.atomic():
        run = ImportRun.objects.create(
            storefront=storefront,
            name=name.replace("\x00", "")[-200:],
            file=stored,
            is_dry=is_dry,
            actor_id=actor_id,
            created_at=clock.now(),
        )
        record(
            "product.import",
            actor_id=actor_id,
            subject_type="import",
            subject_id=run.pk,
            name=run.name,
            dry=is_dry,
        )
        jobs.enqueue(JOB, run_id=str(run.pk))
    return run


def carry_out(run_id: uuid.UUID) -> None:
    """Import what was taken in. A second run after a crash begins anew: it changes nothing that
    the first has done."""
    run = ImportRun.objects.select_related("file").get(pk=run_id)
    if run.state in {ImportState.DONE, ImportState.FAILED} or run.file is None:
        return
    _note(run, state=ImportState.RUNNING)
    told = 0

    def tell(done: int, total: int) -> None:
        # A hundred times at most: each is a row written.
        nonlocal told
        if done == total or (done - told) * 100 >= total:
            told = done
            _note(run, done=done, total=total)

    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "upload"
            with open_file(run.file) as content, path.open("wb") as out:
                while chunk := content.read(_CHUNK):
                    out.write(chunk)
            # The progress of a dry run is taken back with it.
            report = import_file(
                path,
                storefront=run.storefront,
                actor_id=run.actor_id,
                dry_run=run.is_dry,
                name=run.name,
                tell=tell,
            )
        document: dict[str, Any] = report.document
        state, figures, faults = ImportState.DONE, document["figures"], document["faults"]
    except (Problem, FileNotFoundError) as error:
        said = error.detail if isinstance(error, Problem) else "The file is gone."
        state, figures = ImportState.FAILED, {}
        faults = [{"line": 0, "where": "", "message": said}]
    with transaction.atomic():
        run = lock_one(ImportRun.objects.filter(pk=run_id))
        file, run.file = run.file, None
        run.state, run.figures, run.faults = state, figures, faults
        run.done = run.total = max(run.done, run.total)
        run.ended_at = clock.now()
        run.save()
        if file:
            delete_file(file)


def _note(run: ImportRun, **changes: Any) -> None:
    ImportRun.objects.filter(pk=run.pk).update(**changes)
