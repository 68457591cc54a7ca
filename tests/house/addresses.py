"""The address of every page, of things that exist."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

_PART = re.compile(r"<(?:(\w+):)?(\w+)>")


def pages() -> dict[str, Any]:
    """The view of every page by its pattern."""

    def walk(resolver: Any, before: str) -> Iterator[tuple[str, Any]]:
        for found in resolver.url_patterns:
            place = before + str(found.pattern)
            if isinstance(found, URLResolver):
                yield from walk(found, place)
            elif isinstance(found, URLPattern):
                yield f"/{place}", found.callback

    return {place: view for place, view in walk(get_resolver(), "") if not place.startswith("/api")}


def address(place: str, things: dict[str, Any]) -> str:
    """A page's address, of something that exists where there is such a thing."""
    known = {"slug": "aurore", "width": 320, "path": "rings", "token": "x", **things}

    def fill(part: re.Match[str]) -> str:
        kind, name = part.groups()
        return str(known.get(name, {"uuid": uuid.uuid4(), "int": 1}.get(kind, "x")))

    return _PART.sub(fill, place)
