"""Uploads before the real daemon of ClamAV, with signatures of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse

from house.people import ApiClient, client_for, make_user
from house.photos import photo
from markethall.config.environment import load
from markethall.foundation.files.models import StoredFile
from markethall.interfaces.cli import doctor
from markethall.interfaces.cli.doctor import Finding

pytestmark = pytest.mark.django_db(transaction=True)

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


@dataclass
class Daemon:
    address: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Daemon]]:
    """Starts daemons. Where clamd is not installed, these tests are skipped: the protocol is also
    tested without it (test_pictures.py)."""
    clamd = shutil.which("clamd", path=_PLACES)
    if not clamd:
        pytest.skip("clamd is missing: install clamav-daemon to run these tests.")
    folders, processes = [], []

    def start(signature: bytes, limit: str) -> Daemon:
        folder = Path(tempfile.mkdtemp(prefix="clamd-"))
        folders.append(folder)
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_text(f"Test-Signature:0:*:{signature.hex()}\n")
        lines = [
            "Foreground yes",
            f"DatabaseDirectory {folder / 'db'}",
            f"LocalSocket {folder / 'socket'}",
            f"StreamMaxLength {limit}",
            "User root" if os.geteuid() == 0 else "",
        ]
        (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([clamd, "-c", str(folder / "clamd.conf")], **quiet)
        processes.append(process)
        _await(folder / "socket")
        return Daemon(f"unix:{folder / 'socket'}", process)

    yield start
    for process in processes:
        process.kill()
        process.wait()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _await(path: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="module")
def daemon(start: Callable[..., Daemon]) -> Daemon:
    return start(EICAR, "12M")


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda address: monkeypatch.setattr(
        django_settings.ENVIRONMENT, "clamav_address", address
    )


@pytest.fixture
def client(daemon: Daemon, use: Callable[[str], None]) -> ApiClient:
    use(daemon.address)
    return client_for(make_user())


def upload(client: ApiClient, content: bytes) -> HttpResponse:
    picture = SimpleUploadedFile("cat.png", content, "image/png")
    return client.upload("/api/images/upload", file=picture)


def kept(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def examine() -> list[Finding]:
    return list(doctor.scanner(load()))


def test_a_clean_picture_passes(client: ApiClient) -> None:
    assert upload(client, photo("PNG", (300, 200))).status_code == 201


@pytest.mark.parametrize("content", [EICAR, photo("PNG") + EICAR], ids=["bare", "behind a picture"])
def test_what_it_finds_is_refused_and_not_kept(
    client: ApiClient, tmp_path: Path, content: bytes
) -> None:
    answer = upload(client, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "infected_file")
    assert not StoredFile.objects.exists()
    assert kept(tmp_path) == []


def test_without_its_daemon_nothing_comes_in(
    client: ApiClient, daemon: Daemon, use: Callable[[str], None], tmp_path: Path
) -> None:
    use("unix:/nowhere/clamd")
    answer = upload(client, photo("PNG"))
    assert (answer.status_code, answer.json()["code"]) == (503, "scanner_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert not StoredFile.objects.exists()
    assert kept(tmp_path) == []
    use(daemon.address)
    assert upload(client, photo("PNG")).status_code == 201


def test_a_daemon_that_hangs_lets_nothing_in(
    client: ApiClient, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(django_settings.ENVIRONMENT, "clamav_timeout", 0.2)
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        assert upload(client, photo("PNG")).json()["code"] == "scanner_unavailable"
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def test_a_daemon_that_takes_less_than_we_do(
    start: Callable[..., Daemon], client: ApiClient, use: Callable[[str], None]
) -> None:
    use(start(EICAR, "1K").address)
    answer = upload(client, photo("PNG") + bytes(5000))
    assert answer.json()["code"] == "scanner_unavailable"
    assert "StreamMaxLength" in examine()[0].mend


class TestDoctor:
    def test_it_shows_the_test_virus(self, client: ApiClient) -> None:
        (finding,) = examine()
        assert "ClamAV" in finding.state
        assert finding.mend == ""

    def test_a_daemon_without_proper_signatures_is_told(
        self, start: Callable[..., Daemon], client: ApiClient, use: Callable[[str], None]
    ) -> None:
        use(start(b"something else", "12M").address)
        assert "freshclam" in examine()[0].mend

    def test_a_daemon_that_is_away(self, client: ApiClient, use: Callable[[str], None]) -> None:
        use("tcp://127.0.0.1:9")
        assert "uploads are refused" in examine()[0].mend
