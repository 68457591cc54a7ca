"""``markethall doctor``: looks at every setting and connection, and says what to do."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from markethall.interfaces.cli.setup import checked_environment, mend_of_unfit, prepare

if TYPE_CHECKING:
    from markethall.config.environment import Environment
    from markethall.foundation.files.storage.base import FileStore

console = Console(highlight=False)
_MAIL_SECRETS = {
    "resend": "resend_webhook_secret",
    "sendgrid": "sendgrid_webhook_key",
    "postmark": "postmark_webhook_secret",
}
_OLDEST_DATABASE = 16
_ROOM_NEEDED = 1024**3  # bytes


Examination = Callable[["Environment"], Iterator["Finding"]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do when it is not well."""

    name: str
    state: str
    mend: str = ""
    warning: bool = False


def doctor() -> None:
    """Check every setting and connection; fails when something needs mending."""
    environment = checked_environment(opens=False)
    prepare(tables=False, opens=False)
    ill = doubtful = 0
    for examine in EXAMINATIONS:
        for finding in _found_by(examine, environment):
            ill += bool(finding.mend) and not finding.warning
            doubtful += bool(finding.mend) and finding.warning
            _print(finding)
    if ill:
        console.print(f"{ill} to mend.")
        raise typer.Exit(1)
    console.print(f"All works; {doubtful} to think about." if doubtful else "All is well.")


def _found_by(examine: Examination, environment: Environment) -> Iterator[Finding]:
    """What an examination finds. One that breaks off is a finding too, and the others go on."""
    from markethall.config.redaction import redactor

    clean = redactor(environment).text
    try:
        for finding in examine(environment):
            yield replace(finding, state=clean(finding.state))
    except Exception as error:
        said = (str(error).strip() or "no reason given").splitlines()[0]
        state = clean(f"cannot be examined: {type(error).__name__}: {said}")
        yield Finding(examine.__name__, state, "Look at what its settings name.")


def _print(finding: Finding) -> None:
    sign = "[green]✓[/]" if not finding.mend else "[yellow]![/]"
    if finding.mend and not finding.warning:
        sign = "[red]✗[/]"
    console.print(f"{sign} {finding.name}: ", end="")
    console.print(finding.state, markup=False, soft_wrap=True)
    if finding.mend:
        console.print(f"    {finding.mend}", markup=False, soft_wrap=True)


def _is_there(table: str) -> bool:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def settings(environment: Environment) -> Iterator[Finding]:
    yield Finding("settings", environment.markethall_env)
    for fault in environment.faults():
        yield Finding("settings", "the hall does not open yet", fault)


def machine(environment: Environment) -> Iterator[Finding]:
    from markethall.config.environment import SANDBOX_PARTS

    yield Finding("Python", sys.version.split()[0])
    free = shutil.disk_usage(environment.data_dir).free
    mend = "Make room, or move it: DATA_DIR=/path/to/folder" if free < _ROOM_NEEDED else ""
    yield Finding("data folder", f"{environment.data_dir}, {free / 1024**3:.1f} GiB free", mend)
    for doubt in environment.doubts():
        yield Finding("settings", "one is doubtful", doubt, warning=True)
    if not environment.sandbox and os.geteuid() == 0:
        yield Finding("user", "root", "Run production as a user of its own.", warning=True)
    if not environment.sandbox and environment.allow_sandbox_parts:
        for name, (part, mend) in SANDBOX_PARTS.items():
            if getattr(environment, name) == part:
                yield Finding(name.upper(), f"{part}, for a rehearsal", mend, warning=True)


def database(environment: Environment) -> Iterator[Finding]:
    from django.db import connection

    from markethall.interfaces.server.fit import Unfit, check_fits
    from markethall.interfaces.server.readiness import migrations_digest

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('TimeZone')")
        version = cursor.fetchone()[0]
        where = "named by DATABASE_URL" if environment.database_url else "embedded"
        old = int(version.split(".")[0]) < _OLDEST_DATABASE
        yield Finding(
            "database",
            f"PostgreSQL {version}, {where}",
            f"Markethall needs PostgreSQL {_OLDEST_DATABASE} or newer." if old else "",
        )
        cursor.execute("SELECT obj_description(to_regclass('django_migrations'), 'pg_class')")
        current = cursor.fetchone()[0] == migrations_digest()
    try:
        check_fits()
    except Unfit as fault:
        said = f"made by another version of Markethall: {fault}"
        yield Finding("tables", said, mend_of_unfit(environment))
        return
    yield Finding(
        "tables",
        "up to date" if current else "not up to date",
        "" if current else "Run: markethall migrate",
    )
    if current:
        yield from _books()


def _books() -> Iterator[Finding]:
    from markethall.foundation.ledger.check import check_ledger

    faults = sum(len(result.faults) for result in check_ledger())
    yield Finding(
        "books",
        "right" if not faults else f"{faults} faults",
        "Run: markethall check-ledger" if faults else "",
    )


def jobs(environment: Environment) -> Iterator[Finding]:
    from django.db import connection

    if not _is_there("procrastinate_jobs"):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now())"
            " <= now()), count(*) FILTER (WHERE status = 'failed') FROM procrastinate_jobs"
        )
        waiting, failed = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - interval '30 seconds'"
        )
        workers = cursor.fetchone()[0]
    mend = "" if workers or environment.sandbox else "No worker runs. Run: markethall worker"
    if waiting and not workers:
        mend = "Nobody works on them. Run: markethall worker"
    said = f"{waiting} waiting, {failed} failed, {workers} workers"
    yield Finding("jobs", said, mend, warning=not waiting)


def files(environment: Environment) -> Iterator[Finding]:
    """Each storage is written to, read, asked for a signed link, and cleaned again."""
    from markethall.foundation.files.errors import StorageUnavailable
    from markethall.foundation.files.models import StoredFile
    from markethall.foundation.files.storage import registry

    for name in registry.names():
        title = f"file storage {name}"
        store = registry.store_named(name)
        try:
            fault = _try_storage(store)
        except (StorageUnavailable, FileNotFoundError) as error:
            fault = str(error.__cause__ or error)
        remote = "Check its variables and keys, and that this machine may reach it."
        mend = remote if store.is_remote else "Make the folder writable for this user."
        yield Finding(title, fault or store.whereabouts(), mend if fault else "")
    if not _is_there("files_storedfile"):
        return
    gone = set(StoredFile.objects.values_list("storage", flat=True).distinct())
    for name in sorted(gone - set(registry.names())):
        yield Finding(f"file storage {name}", "holds files, and is not configured", "Set it again.")


def _try_storage(store: FileStore) -> str:
    """What is wrong with a storage; empty when it does all that is asked of it."""
    import httpx

    name = f"probe/{secrets.token_hex(16)}.txt"
    try:
        store.put(name, io.BytesIO(b"well"), content_type="text/plain")
        with store.stream(name) as content:
            if content.read() != b"well":
                return "what was written did not come back"
        link = store.link(name, seconds=60, content_type="text/plain", disposition="inline")
        if link:
            answer = httpx.get(link, timeout=10)
            if answer.status_code != httpx.codes.OK or answer.content != b"well":
                return f"a signed link is answered with {answer.status_code}"
            if httpx.get(link.partition("?")[0], timeout=10).status_code == httpx.codes.OK:
                return "it shows its files to everybody: make it private"
    except httpx.HTTPError as error:
        return f"a signed link cannot be opened: {error}"
    finally:
        store.remove(name)
    return ""


def mail(environment: Environment) -> Iterator[Finding]:
    from markethall.foundation.messaging.errors import CarrierUnwell
    from markethall.foundation.messaging.vendors import registry

    try:
        yield Finding("mail", registry.current().probe())
    except CarrierUnwell as error:
        yield Finding("mail", error.detail, "Check the variables of MAIL_BACKEND.")
    if not environment.sandbox and _is_there("platform_setting"):
        yield from _support_address()
    secret = _MAIL_SECRETS.get(environment.mail_backend)
    if secret and not getattr(environment, secret):
        yield Finding(
            "mail webhooks",
            "not believed: there is no secret to verify them with",
            f"Set {secret.upper()}, or nobody learns which mails bounce.",
            warning=True,
        )


def _support_address() -> Iterator[Finding]:
    from markethall.foundation.platform.queries import fresh_settings

    address = fresh_settings().support_email
    made_up = address.endswith((".test", ".invalid")) or not address
    mend = "Change it in the console under Settings: answers and chargebacks go there."
    yield Finding("support address", address or "none", mend if made_up else "", warning=made_up)


def scanner(environment: Environment) -> Iterator[Finding]:
    """The scanner is shown a harmless test virus, and the largest file that we take."""
    from markethall.foundation.files import scan

    address = environment.clamav_address
    if not address:
        return
    try:
        version, mend = scan.probe(address)
    except OSError as error:
        unreachable = "Start clamd, or unset CLAMAV_ADDRESS: until then, uploads are refused."
        yield Finding("virus scanner", f"{address}: {error}", unreachable)
        return
    yield Finding("virus scanner", f"{address}, {version}", mend)


def gateways(environment: Environment) -> Iterator[Finding]:
    """Each gateway in use is tried with its credentials: the current one, and those that stored
    payments name."""
    from markethall.foundation.payments.gateways import registry
    from markethall.kernel.errors import Problem

    stored = _is_there("payments_payment")
    for name in registry.in_use() if stored else [environment.payment_gateway]:
        what = "payments" if name == environment.payment_gateway else "payments of earlier times"
        try:
            yield Finding(f"{what}, {name}", registry.named(name).probe())
        except Problem as error:
            mend = f"Check the settings that begin with {name.upper()}_, and that it can be reached"
            yield Finding(f"{what}, {name}", error.detail, f"{mend} from here.")


def sign_in(environment: Environment) -> Iterator[Finding]:
    """Each provider is shown our credentials, and signs nobody in."""
    from markethall.foundation.accounts import provider_probe

    found = list(provider_probe.providers())
    if not found:
        yield Finding("sign-in with", "password only")
    for provider in found:
        name, slug = f"sign-in with {provider.name}", provider.slug.upper()
        try:
            yield Finding(name, provider_probe.probe(provider))
        except provider_probe.ProviderUnwell as error:
            mend = f"Check the settings that begin with {slug}_, and the redirect address there:"
            yield Finding(name, str(error), f"{mend} {provider_probe.callback(provider)}")


def reports(environment: Environment) -> Iterator[Finding]:
    """Sentry is sent one report."""
    from markethall.config import sentry

    if not environment.sentry_dsn:
        return
    try:
        yield Finding("error reports", sentry.probe(environment))
    except (OSError, ValueError) as error:
        yield Finding("error reports", str(error), "Check SENTRY_DSN: it is the project's own.")


def secrets_file(environment: Environment) -> Iterator[Finding]:
    env_file = Path(".env")
    if env_file.exists() and env_file.stat().st_mode & 0o077:
        yield Finding(".env", "readable by others", "Run: chmod 600 .env", warning=True)


def image_makers(environment: Environment) -> Iterator[Finding]:
    from markethall.content.imaging.providers.base import (
        ProviderMisconfigured,
        ProviderUnavailable,
        QuotaExhausted,
    )
    from markethall.content.imaging.providers.registry import provider_named

    for place, name in enumerate(environment.image_chain):
        title = "pictures" if place == 0 else f"pictures, {place + 1}. choice"
        mend = ""
        try:
            said = provider_named(name).probe()
        except ProviderMisconfigured as error:
            said, mend = str(error), f"Check the key, the model and the address of {name}."
        except QuotaExhausted as error:
            said, mend = str(error), f"Pay {name}, or raise its limit."
        except ProviderUnavailable as error:
            said, mend = str(error), f"{name} cannot be reached now; is its address right?"
        yield Finding(title, f"{name}: {said}", mend)


EXAMINATIONS: tuple[Examination, ...] = (
    settings,
    machine,
    database,
    jobs,
    files,
    mail,
    scanner,
    gateways,
    image_makers,
    sign_in,
    reports,
    secrets_file,
)
