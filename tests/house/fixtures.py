from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as drawing

from markethall.foundation.ledger import accounts as ledger_accounts
from markethall.foundation.platform import queries as platform_queries
from markethall.kernel import clock

# No test fails because the machine is busy.
drawing.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
drawing.load_profile("house")


@pytest.fixture(autouse=True)
def fresh_house(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Quick password hashes, a data folder and a clock of the test's own."""
    settings.PASSWORD_HASHERS = ["house.hashers.QuickBCrypt"]
    settings.DATA_DIR = tmp_path
    folder = {
        "BACKEND": "markethall.foundation.files.storage.local.LocalStore",
        "OPTIONS": {"location": str(tmp_path / "files")},
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": folder,
        "local": folder,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    ledger_accounts.forget_known()
    platform_queries.forget_kept()
    yield
    ledger_accounts.forget_known()


@pytest.fixture
def turn_clock() -> Callable[[timedelta], None]:
    """Turn the sandbox clock forward."""
    return lambda by: (clock.turn(by), None)[1]
