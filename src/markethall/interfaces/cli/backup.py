"""``backup`` and ``restore``: database, files and secrets in one archive."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from markethall.interfaces.cli.setup import CannotStart, checked_environment, prepare

console = Console(highlight=False)
MANIFEST, DUMP, FILES = "manifest.json", "database.dump", "files"
KEPT_BESIDE = ("secrets.json", "clock.json")
_FORMAT = 1

Archive = Annotated[Path, typer.Argument(help="The archive, a .tar.", dir_okay=False)]


def backup(archive: Archive) -> None:
    """Write database, files and secrets into one archive. It holds secrets: keep it safe."""
    prepare()
    from django.conf import settings

    draft = archive.with_suffix(archive.suffix + ".part")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as out:
            _write(out, settings.DATA_DIR)
            os.fsync(out.fileno())
        draft.replace(archive)
    except OSError as error:
        raise CannotStart(f"The archive cannot be written: {error}") from None
    finally:
        draft.unlink(missing_ok=True)
    size = archive.stat().st_size / 1024**2
    console.print(f"Kept in {archive} ({size:.1f} MiB).", markup=False)
    _tell_what_lies_elsewhere()


def _tell_what_lies_elsewhere() -> None:
    """An archive holds the files of the data folder only."""
    from markethall.foundation.files.models import StoredFile

    elsewhere = StoredFile.objects.exclude(storage="local").count()
    if elsewhere:
        console.print(
            f"[yellow]![/] {elsewhere} files lie in a bucket and are not in the archive."
            " Keep copies of the bucket by its own versioning or replication."
        )


def _write(out: IO[bytes], data_dir: Path) -> None:
    from markethall.config.database import run_tool

    with tempfile.TemporaryDirectory(dir=data_dir) as folder:
        dump = Path(folder) / DUMP
        with console.status("Dumping the database …"):
            manifest = describe()
            run_tool(checked_environment(), "pg_dump", "--format=custom", f"--file={dump}")
        kept = [(dump, DUMP)]
        kept += [(data_dir / name, name) for name in KEPT_BESIDE if (data_dir / name).exists()]
        files = data_dir / FILES
        kept += [
            (path, str(Path(FILES) / path.relative_to(files)))
            for path in sorted(files.rglob("*"))
            if path.is_file()
        ]
        with tarfile.open(fileobj=out, mode="w|") as tar, _progress("Writing", kept) as advance:
            _add_bytes(tar, MANIFEST, json.dumps(manifest, indent=2).encode())
            for path, name in kept:
                try:
                    tar.add(path, name, recursive=False)
                except FileNotFoundError:
                    continue  # deleted by its owner in the meantime
                advance(path.stat().st_size if path.exists() else 0)


def restore(
    archive: Archive,
    force: Annotated[bool, typer.Option(help="Replace what is in the hall.")] = False,
) -> None:
    """Bring a hall back from an archive. Close the hall first."""
    prepare()
    from django.conf import settings
    from django.db import connection

    if not archive.is_file():
        raise CannotStart(f"There is no archive {archive}.")
    _refuse_open_hall()
    if not force and _is_inhabited():
        raise CannotStart("This hall is not empty. Add --force to replace what is in it.")
    data_dir = settings.DATA_DIR
    with tempfile.TemporaryDirectory(dir=data_dir) as folder:
        manifest = _unpack(archive, Path(folder))
        with console.status("Restoring the database …"):
            _restore_database(Path(folder) / DUMP)
        shutil.rmtree(data_dir / FILES, ignore_errors=True)
        for name in (FILES, *KEPT_BESIDE):
            if (Path(folder) / name).exists():
                (Path(folder) / name).replace(data_dir / name)
    connection.close()
    found = describe()
    if found["checksum"] != manifest["checksum"] or found["rows"] != manifest["rows"]:
        raise CannotStart("What was restored is not what was kept. The archive is damaged.")
    console.print(f"Restored. Books {found['checksum']}, {sum(found['rows'].values())} rows.")


def describe() -> dict[str, Any]:
    """What an archive says of its content: checksum of the books, rows of each table."""
    from django.apps import apps
    from django.db import connection

    from markethall import __version__
    from markethall.foundation.ledger.check import checksum

    rows = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model.__module__.startswith(("markethall.", "allauth.")):
                table = model._meta.db_table
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
                rows[table] = cursor.fetchone()[0]
    return {
        "format": _FORMAT,
        "version": __version__,
        "checksum": checksum(),
        "rows": dict(sorted(rows.items())),
    }


def _unpack(archive: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(archive) as tar, _progress("Reading", [(archive, "")]) as advance:
            for member in tar:
                tar.extract(member, folder, filter="data")
                advance(member.size)
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (tarfile.TarError, OSError, ValueError) as error:
        raise CannotStart(f"{archive} is no archive of Markethall: {error}") from None
    if manifest.get("format") != _FORMAT or not (folder / DUMP).exists():
        raise CannotStart(f"{archive} was written by another version: {manifest.get('version')}.")
    return manifest


def _restore_database(dump: Path) -> None:
    from django.db import connection

    from markethall.config.database import ToolFailed, run_tool

    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    connection.close()
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    try:
        name = connection.settings_dict["NAME"]
        run_tool(checked_environment(), "pg_restore", *options, f"--dbname={name}", str(dump))
    except ToolFailed as error:
        raise CannotStart(str(error)) from None


def _is_inhabited() -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_user')")
        if cursor.fetchone()[0] is None:
            return False
        cursor.execute("SELECT EXISTS (SELECT 1 FROM accounts_user)")
        return bool(cursor.fetchone()[0])


def _refuse_open_hall() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        if cursor.fetchone()[0]:
            raise CannotStart("The hall is open: others use its database. Close it first.")


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o600
    tar.addfile(info, io.BytesIO(content))


@contextmanager
def _progress(verb: str, files: list[tuple[Path, str]]) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(verb, total=sum(path.stat().st_size for path, _ in files))
        yield lambda size: progress.advance(task, size)
