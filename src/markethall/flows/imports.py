"""Products from a file that somebody uploads: stored first, read by a job."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection, transaction

from markethall.foundation.audit.actions import record
from markethall.foundation.files.actions import delete_file, open_file, store_file
from markethall.foundation.files.models import StoredFile
from markethall.kernel import clock, jobs
from markethall.kernel.errors import Invalid, PayloadTooLarge, Problem
from markethall.kernel.locking import lock, lock_one
from markethall.trade.catalog.errors import DryRunNotOver, FileForgotten, ImportMissing
from markethall.trade.catalog.importing.run import Tell, import_file
from markethall.trade.catalog.models import ImportRun, ImportState
from markethall.trade.catalog.storefronts import goods_storefronts

JOB = "import_products"
MAX_BYTES = 100 * 1024 * 1024
# How long the file of a dry run waits for being imported.
KEEP_TRIED = timedelta(days=1)
_TYPES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".zip": "application/zip",
}
_CHUNK = 1024 * 1024
_FAR = "UPDATE catalog_importrun SET done = %s, total = %s WHERE id = %s"


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
        name = name.replace("\x00", "")[-200:]
        return _begin(stored, name=name, storefront=storefront, is_dry=is_dry, actor_id=actor_id)


def import_tried(run_id: uuid.UUID, *, actor_id: uuid.UUID) -> ImportRun:
    """Have a job import the file that a dry run has tried.

    Raises ImportMissing, DryRunNotOver, and FileForgotten when the file was imported already, or
    not for ``KEEP_TRIED``.
    """
    with transaction.atomic():
        tried = lock_one(ImportRun.objects.filter(pk=run_id), missing=ImportMissing)
        if tried.is_dry and tried.state in {ImportState.WAITING, ImportState.RUNNING}:
            raise DryRunNotOver
        file, tried.file = tried.file, None
        if file is None or not is_importable(tried):
            raise FileForgotten
        tried.save(update_fields=["file"])
        return _begin(
            file, name=tried.name, storefront=tried.storefront, is_dry=False, actor_id=actor_id
        )


def is_importable(run: ImportRun) -> bool:
    """Whether it is a dry run that is over."""
    return run.is_dry and run.state == ImportState.DONE


def forget_tried_files() -> int:
    """Delete files that were tried ``KEEP_TRIED`` ago and not imported; returns how many."""
    late = ImportRun.objects.filter(ended_at__lt=clock.now() - KEEP_TRIED).exclude(file=None)
    with transaction.atomic():
        runs = lock(late.select_related("file"))
        for run in runs:
            if run.file:
                delete_file(run.file)
    return len(runs)


def _begin(
    file: StoredFile, *, name: str, storefront: str, is_dry: bool, actor_id: uuid.UUID
) -> ImportRun:
    run = ImportRun.objects.create(
        storefront=storefront,
        name=name,
        file=file,
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
    ImportRun.objects.filter(pk=run_id).update(state=ImportState.RUNNING)
    try:
        with tempfile.TemporaryDirectory() as folder, _progress(run_id) as tell:
            path = Path(folder) / "upload"
            with open_file(run.file) as content, path.open("wb") as out:
                while chunk := content.read(_CHUNK):
                    out.write(chunk)
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
        run.state, run.figures, run.faults = state, figures, faults
        run.done = run.total = max(run.done, run.total)
        run.ended_at = clock.now()
        file = run.file
        if not is_importable(run):
            run.file = None
        run.save()
        if file and not run.file:
            delete_file(file)


@contextmanager
def _progress(run_id: uuid.UUID) -> Iterator[Tell]:
    """What is told how far an import is. It writes by a session of its own, so that a dry run does
    not take it back; a hundred times at most."""
    told = 0
    with closing(connection.copy()) as aside:

        def tell(done: int, total: int) -> None:
            nonlocal told
            if done == total or (done - told) * 100 >= total:
                told = done
                with aside.cursor() as cursor:
                    cursor.execute(_FAR, [done, total, run_id])

        yield tell
