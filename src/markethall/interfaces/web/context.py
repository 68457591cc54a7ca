"""What every page can show."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def hall(request: HttpRequest) -> dict[str, Any]:
    """Template variables of every page."""
    return {"sandbox": settings.SANDBOX, "site_url": settings.SITE_URL}
