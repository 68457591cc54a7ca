"""Pages for people who are signed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache

from markethall.foundation.accounts.models import User
from markethall.interfaces.web.context import login_url

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def members_only(view: View[P] | None = None, *, back: str = "") -> Callable[..., HttpResponse]:
    """Send those who are not signed in to the sign-in page, and to ``back`` (else here) after."""

    def decorate(view: View[P]) -> View[P]:
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.user.is_authenticated:
                return view(request, *args, **kwargs)
            return to_login(request, back)

        return guarded

    return decorate(view) if view else decorate  # type: ignore[return-value]


def to_login(request: HttpRequest, back: str = "") -> HttpResponse:
    """Lead to the sign-in page; htmx changes the page rather than a part of it."""
    url = f"{settings.LOGIN_URL}?{urlencode({'next': back})}" if back else login_url(request)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def member(request: HttpRequest) -> User:
    """The person behind a request that ``members_only`` let through."""
    return cast(User, request.user)
