"""Which verbs an address knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponseBase]


def read_only(view: View) -> Any:
    """A view that changes nothing: another verb than GET and HEAD is 405, whoever sends it, and
    not a matter of forged forms."""
    return csrf_exempt(require_safe(view))
