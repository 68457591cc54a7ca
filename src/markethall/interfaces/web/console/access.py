"""Who may see a page of the console, and do what stands on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may, require
from markethall.kernel.errors import NotFound, Unauthenticated

View = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """A request of somebody who may enter the console."""

    user: User  # type: ignore[assignment]


def staff(permission: Permission) -> Callable[[View], View]:
    """Only for those whose role grants ``permission``.

    The signed-out are sent to sign in, staff without it are refused, and to anybody else the
    console does not exist.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                raise Unauthenticated
            if not may(request.user, Permission.CONSOLE):
                raise NotFound("This address leads nowhere.")
            require(request.user, permission)
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard
