"""What one import holds in memory is bounded, and what is left out is said."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from markethall.trade.catalog.importing import sanity


def products(count: int, kind: str = "product") -> Iterator[str]:
    for number in range(count):
        slug = {"current": f"ring-{number}"}
        yield json.dumps({"_type": kind, "_id": f"p{number}", "name": "Ring", "slug": slug}) + "\n"


def test_no_more_is_held_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(products(10))
    monkeypatch.setattr(sanity, "MAX_KEPT", sum(map(len, lines[:4])))
    bundle = sanity.read([*products(20, "siteSettings"), *lines], currency="USD")
    assert len(bundle.products) == 4
    (fault,) = bundle.faults
    assert fault.line == 25 and "Not read from here on" in fault.message
    assert bundle.passed_over == 20


def test_a_file_of_faults_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanity, "MAX_WRONG", 5)
    bundle = sanity.read(["no\n"] * 100, currency="USD")
    assert [fault.line for fault in bundle.faults] == [1, 2, 3, 4, 5, 6]
    assert "Not read from here on: 5 are wrong" in bundle.faults[-1].message
