"""``markethall doctor`` tries each part, and tells an operator what to do about it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sentry_sdk.envelope import Envelope
from typer.testing import CliRunner, Result

from markethall.config import sentry
from markethall.foundation.platform.actions import change_settings
from markethall.interfaces.cli import doctor
from markethall.interfaces.cli.doctor import Finding
from markethall.interfaces.cli.main import app

pytestmark = pytest.mark.django_db
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command with these examinations, or its own ones; the database is the tests'."""

    def run(*examinations: Any) -> Result:
        monkeypatch.setattr(doctor, "prepare", lambda **_: None)
        if examinations:
            monkeypatch.setattr(doctor, "EXAMINATIONS", examinations)
        return CliRunner().invoke(app, ["doctor"])

    return run


def well(environment: Any) -> Iterator[Finding]:
    yield Finding("one part", "works")


def doubtful(environment: Any) -> Iterator[Finding]:
    yield Finding("another", "works somehow", "Think about it.", warning=True)


def ill(environment: Any) -> Iterator[Finding]:
    yield Finding("a third", "is broken", "Mend it.")


def broken(environment: Any) -> Iterator[Finding]:
    raise RuntimeError(f"refused {environment.sandbox_webhook_secret}\nand more")
    yield Finding("never", "")


def test_what_works_is_well(run: Any) -> None:
    done = run(well)
    assert done.exit_code == 0 and "All is well." in done.output


def test_a_doubt_is_told_and_fails_nothing(run: Any) -> None:
    done = run(well, doubtful)
    assert done.exit_code == 0 and "All works; 1 to think about." in done.output
    assert "Think about it." in done.output and "All is well" not in done.output


def test_what_is_ill_fails_with_its_mend(run: Any) -> None:
    done = run(ill, well)
    assert done.exit_code == 1 and "1 to mend." in done.output
    assert done.output.index("Mend it.") < done.output.index("one part")


def test_an_examination_that_breaks_off_is_a_finding_without_secrets(
    run: Any, settings: Any
) -> None:
    done = run(broken, well)
    assert done.exit_code == 1 and done.exception.__class__ is SystemExit
    assert "broken: cannot be examined: RuntimeError: refused [removed]" in done.output
    assert settings.ENVIRONMENT.sandbox_webhook_secret not in done.output
    assert "one part: works" in done.output


def test_the_sandbox_is_well_as_it_comes(run: Any) -> None:
    done = run(doctor.machine, doctor.mail, doctor.gateways, doctor.image_makers, doctor.sign_in)
    assert done.exit_code == 0, done.output
    for part in ("mail: outbox", "payments, sandbox", "pictures: local", "password only"):
        assert part in done.output


def test_production_with_sandbox_parts_is_doubted(settings: Any) -> None:
    rehearsal = {"markethall_env": "production", "allow_sandbox_parts": True}
    environment = settings.ENVIRONMENT.model_copy(update=rehearsal)
    doubts = {each.name: each.mend for each in doctor.machine(environment) if each.warning}
    assert "PAYMENT_GATEWAY" in doubts and "MAIL_BACKEND" in doubts
    assert "markethall worker" in next(iter(doctor.jobs(environment))).mend


def test_the_made_up_support_address_is_doubted_in_production(settings: Any) -> None:
    environment = settings.ENVIRONMENT.model_copy(update={"markethall_env": "production"})

    def found() -> Finding:
        return next(each for each in doctor.mail(environment) if each.name == "support address")

    assert found().warning and "console" in found().mend
    change_settings(actor_id=None, support_email="help@shop.example")
    assert not found().mend


def test_what_keeps_a_hall_from_opening_is_to_be_mended(settings: Any) -> None:
    environment = settings.ENVIRONMENT.model_copy(update={"markethall_env": "production"})
    mends = [each.mend for each in doctor.settings(environment) if not each.warning]
    assert any("PAYMENT_GATEWAY" in mend for mend in mends)
    assert not any(each.name == "PAYMENT_GATEWAY" for each in doctor.machine(environment))


class Sentry(BaseHTTPRequestHandler):
    """Takes envelopes that show the right key, as Sentry does; it knows no projects or quotas."""

    taken: list[Envelope]

    def do_POST(self) -> None:
        envelope = Envelope.deserialize(self.rfile.read(int(self.headers["Content-Length"])))
        known = f"sentry_key={KEY}" in self.headers["X-Sentry-Auth"]
        if known:
            self.taken.append(envelope)
        self.send_response(200 if known else 403)
        if not known:
            self.send_header("X-Sentry-Error", "bad sentry DSN public key")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quietly."""


@pytest.fixture
def sentry_at() -> Iterator[str]:
    Sentry.taken = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sentry)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def with_dsn(settings: Any, key: str, host: str) -> Any:
    return settings.ENVIRONMENT.model_copy(update={"sentry_dsn": f"http://{key}@{host}/7"})


def test_sentry_is_sent_a_report(settings: Any, sentry_at: str) -> None:
    assert "project 7" in sentry.probe(with_dsn(settings, KEY, sentry_at))
    [envelope] = Sentry.taken
    event = envelope.get_event()
    assert event and event["level"] == "info"


@pytest.mark.parametrize("host", ["", "127.0.0.1:9"])
def test_a_wrong_dsn_is_named(settings: Any, sentry_at: str, host: str) -> None:
    environment = with_dsn(settings, "another-key", host or sentry_at)
    [finding] = doctor.reports(environment)
    assert "SENTRY_DSN" in finding.mend
    assert ("cannot be reached" if host else "bad sentry DSN public key") in finding.state
