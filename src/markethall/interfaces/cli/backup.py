"""``backup`` and ``restore``: database, files and secrets in one archive."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import IO, Annotated, Any

import typer
from rich.console import Console

from markethall.interfaces.cli import kept_files
from markethall.interfaces.cli.archives import InBucket, InFolder, place, progress
from markethall.interfaces.cli.kept_files import FOLDER, Kept
from markethall.interfaces.cli.setup import CannotStart, checked_environment, prepare

console = Console(highlight=False)
MANIFEST, DUMP, END = "manifest.json", "database.dump", "end.json"
KEPT_BESIDE = ("secrets.json", "clock.json")
_INDEX, _SEEN = "index", "seen"
_FORMAT = 2


def backup(
    archive: Annotated[
        str, typer.Argument(help="A path, s3://bucket/name.tar or r2://…; a folder ends with /.")
    ],
    buckets: Annotated[bool, typer.Option(help="Also keep the files that lie in buckets.")] = True,
) -> None:
    """Write database, files and secrets into one archive. It holds secrets: keep it safe. The hall
    may be open."""
    prepare()
    from django.conf import settings

    from markethall.foundation.files.actions import remember_run

    where = place(archive, new=True)
    with _told(where), where.writer() as out:
        kept = _write(out, settings.DATA_DIR, buckets=buckets)
    with _told(where):
        size = where.size() / 1024**2
    remember_run("backup", place=str(where), files=kept.files, damaged=kept.damaged)
    console.print(f"Kept in {where} ({size:.1f} MiB, {kept.files} files).", markup=False)
    if not buckets:
        console.print("Files that lie in buckets are not in it.")
    if kept.missing:
        console.print(f"{kept.missing} files were gone when their turn came.")
    if kept.damaged:
        raise CannotStart(f"{kept.damaged} files are not what was once stored; kept as they are.")


def _write(out: IO[bytes], data_dir: Path, *, buckets: bool) -> Kept:
    with tempfile.TemporaryDirectory(dir=data_dir) as name:
        folder = Path(name)
        with console.status("Dumping the database …"):
            manifest, total = _dump(folder, buckets=buckets)
        beside = [data_dir / kept for kept in KEPT_BESIDE if (data_dir / kept).exists()]
        size = (folder / DUMP).stat().st_size
        with (
            tarfile.open(fileobj=out, mode="w|", bufsize=1024 * 1024) as tar,
            progress("Writing", total + size) as advance,
        ):
            _add_json(tar, MANIFEST, manifest)
            for path in (folder / DUMP, *beside):
                tar.add(path, path.name, recursive=False)
            advance(size)
            kept = kept_files.write_files(tar, folder / _INDEX, advance)
            _add_json(tar, END, {"files": kept.files})
    return kept


def _dump(folder: Path, *, buckets: bool) -> tuple[dict[str, Any], int]:
    """The database as it is at one moment, and what stands in it then; also the bytes of the files
    that go along."""
    from django.db import connection, transaction

    from markethall.config.database import ToolFailed, run_tool

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        moment = f"--snapshot={cursor.fetchone()[0]}"
        manifest = describe()
        total, elsewhere = kept_files.list_files(folder / _INDEX, buckets=buckets)
        target = f"--file={folder / DUMP}"
        try:
            run_tool(checked_environment(), "pg_dump", "--format=custom", moment, target)
        except ToolFailed as error:
            raise CannotStart(str(error)) from None
    return {**manifest, "elsewhere": elsewhere}, total


def restore(
    archive: Annotated[str, typer.Argument(help="A path, s3://bucket/name.tar or r2://….")],
    force: Annotated[bool, typer.Option(help="Replace what is in the hall.")] = False,
) -> None:
    """Bring a hall back from an archive. Close the hall first."""
    prepare(tables=False)
    from django.conf import settings
    from django.db import connection

    where = place(archive)
    with _told(where):
        size = where.size()
    _refuse_open_hall()
    if not force and _is_inhabited():
        raise CannotStart("This hall is not empty. Add --force to replace what is in it.")
    data_dir = settings.DATA_DIR
    with tempfile.TemporaryDirectory(dir=data_dir) as name:
        folder = Path(name)
        with _told(where), where.stream() as content:
            manifest = _unpack(content, size, where, folder)
        with console.status("Restoring the database …"):
            _restore_database(folder / DUMP)
        rmtree(data_dir / FOLDER, ignore_errors=True)
        for kept in (FOLDER, *KEPT_BESIDE):
            if (folder / kept).exists():
                (folder / kept).replace(data_dir / kept)
        connection.close()
        found = describe()
        if found["checksum"] != manifest["checksum"] or found["rows"] != manifest["rows"]:
            raise CannotStart("What was restored is not what was kept. The archive is damaged.")
        files = kept_files.compare(folder / _SEEN, elsewhere=manifest["elsewhere"])
    console.print(f"Restored. Books {found['checksum']}, {sum(found['rows'].values())} rows.")
    _tell_of_files(files, manifest["elsewhere"])


def _tell_of_files(files: Kept, elsewhere: int) -> None:
    console.print(f"{files.files} files, compared with their checksums.")
    if elsewhere:
        console.print(f"{elsewhere} files were not in the archive: they must still be in a bucket.")
    if files.damaged or files.missing:
        raise CannotStart(f"{files.damaged} files are damaged and {files.missing} are missing.")


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


def _unpack(
    content: IO[bytes], size: int, where: InFolder | InBucket, folder: Path
) -> dict[str, Any]:
    """Read an archive once, from its beginning to its end. Nothing of the hall is lost by it: what
    belongs into a bucket goes there under names of its own."""
    try:
        with (
            tarfile.open(fileobj=content, mode="r|", bufsize=1024 * 1024) as tar,
            (folder / _SEEN).open("w") as seen,
            progress("Reading", size) as advance,
        ):
            _take_members(tar, folder, seen, advance)
        if not (folder / END).exists():
            raise CannotStart(f"{where} is not complete: its end is missing.")
    except (tarfile.TarError, ValueError, KeyError) as error:
        raise CannotStart(f"{where} is no archive of Markethall: {error}") from None
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return manifest


def _take_members(
    tar: tarfile.TarFile, folder: Path, seen: IO[str], advance: Callable[[int], None]
) -> None:
    for number, member in enumerate(tar):
        if number == 0:
            _check_manifest(tar, member, folder)
        elif member.name.startswith(f"{FOLDER}/"):
            found = tar.extractfile(member)
            if found:
                kept_files.take_file(member, found, folder / FOLDER, seen)
        elif member.name in {DUMP, END, *KEPT_BESIDE}:
            tar.extract(member, folder, filter="data")
        advance(member.size)


def _check_manifest(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    if member.name != MANIFEST:
        raise ValueError("it does not begin with a manifest")
    tar.extract(member, folder, filter="data")
    manifest = json.loads((folder / MANIFEST).read_text())
    if manifest["format"] != _FORMAT:
        raise CannotStart(f"The archive was written by another version: {manifest['version']}.")


@contextmanager
def _told(where: InFolder | InBucket) -> Iterator[None]:
    """What is in the way of an archive, in one line."""
    from markethall.foundation.files.errors import StorageUnavailable

    try:
        yield
    except FileNotFoundError:
        raise CannotStart(f"There is no archive {where}, or no such folder.") from None
    except StorageUnavailable as error:
        reason = error.__cause__ or error.detail
        raise CannotStart(f"{where}: a storage cannot be reached. {reason}") from None
    except OSError as error:
        raise CannotStart(f"{where} cannot be used: {error}") from None


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


def _add_json(tar: tarfile.TarFile, name: str, data: dict[str, Any]) -> None:
    content = json.dumps(data, indent=2).encode()
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o600
    tar.addfile(info, io.BytesIO(content))
