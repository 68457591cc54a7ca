"""What stands in deploy/ fits what the hall serves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from markethall.interfaces.server.chains import Chains

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


@pytest.mark.django_db
def test_every_figure_of_the_dashboard_and_the_alerts_is_served() -> None:
    Client().get("/")
    served = set(re.findall(r"^# TYPE (\w+)", Client().get("/metrics").content.decode(), re.M))
    dashboard = json.loads((DEPLOY / "grafana" / "markethall.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += re.findall(r"expr: (.+)", (DEPLOY / "alerts.yml").read_text())
    names = {name for text in asked for name in re.findall(r"markethall_\w+", text)}
    assert {re.sub(r"_bucket$", "", name) for name in names} <= served


@pytest.mark.django_db(transaction=True)
def test_a_supervisor_may_ask_by_any_name(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    settings.SECURE_SSL_REDIRECT = True
    hall, statuses = Chains(), []
    for path in ("/healthz", "/readyz", "/plushify"):
        environ = {**RequestFactory().get(path).environ, "HTTP_HOST": "10.0.0.7:8000"}
        hall(environ, lambda status, *_: statuses.append(status))
    assert statuses[:2] == ["200 OK", "200 OK"] and statuses[2] != "200 OK"


def test_an_installed_hall_has_its_pages_and_pictures(tmp_path: Path) -> None:
    """The image installs a wheel, while `make run` uses the sources as they lie."""
    files = subprocess.run(
        ["git", "ls-files", "src", "pyproject.toml", "README.md", "LICENSE"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in files:
        target = tmp_path / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--wheel-dir", str(tmp_path), str(tmp_path / "tree")],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {name.removeprefix("src/") for name in files if name.startswith("src/")}
    assert wanted - packed == set()


def test_the_proxies_let_an_upload_through() -> None:
    """A proxy that allows less than the hall would answer with a page of its own."""
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE <= 12 * 1024**2
    assert "client_max_body_size 12m" in (DEPLOY / "nginx.conf").read_text()
    assert "max_size 12MB" in (DEPLOY / "Caddyfile").read_text()


def test_nginx_passes_every_header_to_every_address() -> None:
    """One ``proxy_set_header`` within a location takes the place of all those outside it."""
    conf = (DEPLOY / "nginx.conf").read_text()
    locations = re.findall(r"location [^{]+{([^}]*)}", conf)
    assert len(locations) == 3
    assert not [each for each in locations if "proxy_set_header" in each]
    for header in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "Upgrade", "Connection"):
        assert f"proxy_set_header {header} " in conf
