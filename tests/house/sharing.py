"""The suite on several processes, ``pytest -n 2``: which tests stay together, and which go first.

Each process has a database server and a data folder of its own; peers that a session starts once
(a browser with its hall, an OAuth server, an S3 server) are started by one process only.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Folders whose tests share a peer; all others go file by file.
_TOGETHER = {"tests/browser", "tests/gateways", "tests/oidc", "tests/storage"}
# Files whose tests are as good apart, and too long for one process.
_APART = {"tests/api/test_schemathesis.py"}
# What takes long, longest first; begun last, it would keep one process busy alone.
_LONGEST = (
    "tests/browser",
    "tests/storage",
    "tests/gateways",
    "tests/content/test_image_providers.py",
    "tests/flows/test_provider_chain.py",
    "tests/api/test_schemathesis.py",
)


def _unit(nodeid: str) -> str:
    file = nodeid.split("::", 1)[0]
    if file in _APART:
        return nodeid
    folder = str(Path(file).parent)
    return folder if folder in _TOGETHER else file


class ByPeer(LoadFileScheduling):  # type: ignore[misc]
    """Tests of one peer go to one process, in the order they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return _unit(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    # Else pytest-django reads the settings in the new processes before they have their own.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByPeer:
    config.option.loadscopereorder = False
    return ByPeer(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _name_apart(items)
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    places = (rank for rank, place in enumerate(_LONGEST) if nodeid.startswith(place))
    return next(places, len(_LONGEST))


def _name_apart(items: list[pytest.Item]) -> None:
    """schemathesis calls its tests of all endpoints the same, and of tests with one name xdist
    runs one."""
    for item in items:
        if label := getattr(item, "operation_label", ""):
            item._id = replace(item.id, params=label)
    doubles = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if doubles:
        raise pytest.UsageError(f"Several tests are called {doubles[0]}")
