"""The default start loads no vendor's SDK: each is imported when its part is configured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"
VENDORS = (
    "stripe",
    "polar_sdk",
    "google.genai",
    "openai",
    "replicate",
    "boto3",
    "botocore",
    "storages",
    "cloudinary",
    "anymail",
    "sentry_sdk",
    "clamd",
)
START = """
import sys
import django
import markethall.interfaces.cli.main
django.setup()
{parts}
print("\\n".join(sorted(sys.modules)))
"""
WEB = """
import markethall.config.asgi
from django.urls import get_resolver
get_resolver().url_patterns
import markethall.interfaces.api.urls
import markethall.interfaces.web.urls
"""
WORKER = """
import markethall.interfaces.jobs.registry
import markethall.interfaces.jobs.worker
"""
# The parts that the settings name, as their first use loads them.
PARTS = """
from markethall.content.imaging.providers.registry import chain, provider_named
from markethall.foundation.messaging.vendors.registry import current as carrier
from markethall.foundation.payments.gateways.registry import current as gateway
[provider_named(name) for name in chain()]
carrier()
gateway()
from django.core.files.storage import default_storage
default_storage.exists("nothing")
"""


def modules_of(parts: str, data: Path, **settings: str) -> set[str]:
    """What a fresh interpreter has imported after it ran ``parts``."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SRC),
        "DJANGO_SETTINGS_MODULE": "markethall.config.settings",
        "DATABASE_URL": "postgresql://nobody@localhost:1/none",
        "DATA_DIR": str(data),
        **settings,
    }
    run = subprocess.run(
        [sys.executable, "-c", START.format(parts=parts)],
        check=False,
        env=environment,
        cwd=data,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def vendors_in(modules: set[str]) -> set[str]:
    return {name for name in VENDORS if name in modules}


def test_the_default_start_loads_no_sdk(tmp_path: Path) -> None:
    modules = modules_of(WEB + WORKER + PARTS, tmp_path)
    assert {"markethall.config.asgi", "markethall.interfaces.jobs.worker"} <= modules
    assert vendors_in(modules) == set()


def test_a_configured_part_is_seen(tmp_path: Path) -> None:
    modules = modules_of(PARTS, tmp_path, MAIL_BACKEND="resend", RESEND_API_KEY="re_123456789")
    assert "anymail" in vendors_in(modules)
