"""The OpenAPI document, as it is served, printed and kept in ``docs/openapi.json``."""

from __future__ import annotations

import json
from typing import Any, cast

import markethall.interfaces.api.urls  # noqa: F401
from markethall.interfaces.api.core import api


def openapi_document() -> dict[str, Any]:
    """OpenAPI 3.1, as plain JSON values."""
    return cast(dict[str, Any], json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"))))
