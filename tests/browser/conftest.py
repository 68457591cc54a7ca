"""A real hall on a port of its own, and a real browser. Both are started once for all tests.

Without Chromium these tests are skipped; where CI=true, they fail.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.hall import fresh
from playwright.sync_api import Browser, expect, sync_playwright

from house.browsing import PHONE, Hall, Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
STARTS_IN = 120  # seconds
WAITS = 20_000  # milliseconds, for what is about to be there
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _chromium() -> str:
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    reason = "Chromium is not installed: apt-get install chromium, or set CHROMIUM to its path."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def hall() -> Iterator[Hall]:
    """The hall as ``make run`` starts it, empty, with its worker."""
    _chromium()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Not pytest's own folder: as root, the database runs under a user who may not enter it.
    data = fresh(ROOT / ".cache" / "browser")
    data.mkdir()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "DATA_DIR": str(data), "SITE_URL": url, "PORT": str(port)}
    environment.pop("DATABASE_URL", None)
    log = data / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "markethall", "up", "--port", str(port), "--no-demo"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
        try:
            _wait_until_open(process, url, log)
            yield Hall(url)
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_open(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + STARTS_IN
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"The hall did not open.\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="module")
def chromium(hall: Hall) -> Iterator[Browser]:
    """A browser for one module's tests: its event loop must not outlive them."""
    expect.set_options(timeout=WAITS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(hall: Hall, chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors; ``visitor(size=DESK, javascript=False, scheme="dark")``. What went wrong
    on their pages fails the test at its end."""
    made: list[Visitor] = []

    def arrive(
        *,
        size: tuple[int, int] = PHONE,
        javascript: bool = True,
        scheme: Any = "light",
        audit: bool = False,
    ) -> Visitor:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=javascript,
            color_scheme=scheme,
            reduced_motion="reduce",
            bypass_csp=audit,
        )
        person = Visitor(hall, context, context.new_page())
        person.page.set_default_timeout(WAITS)
        person.watch()
        made.append(person)
        return person

    yield arrive
    faults = [fault for person in made for fault in person.faults]
    for person in made:
        person.context.close()
    assert faults == []
