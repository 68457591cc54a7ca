from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import get_resolver

from house.gates import Gate, standing


@pytest.fixture(params=["sandbox", "stripe", "polar"])
def gate(
    request: pytest.FixtureRequest, till: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gate]:
    """Each of the gateways in turn."""
    assert get_resolver().url_patterns  # the addresses of a sandbox hall, for the other tests
    with standing(request.param, monkeypatch) as made:
        yield made
