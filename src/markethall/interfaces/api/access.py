"""Who may call an endpoint: every endpoint names one of these, and the permission matrix test
reads them."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from ninja.utils import check_csrf

from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.permissions import Permission, require
from markethall.foundation.accounts.tokens import authenticate_token
from markethall.interfaces.web.errors import CsrfFailed
from markethall.kernel.errors import Unauthenticated


class Access:
    """An endpoint's authentication: by bearer token or API key, else by session cookie + CSRF.

    ``request.user`` is the caller afterwards, and ``request.token`` the token if one was used.
    """

    def __init__(
        self, *, required: bool, permission: Permission | None = None, looks: bool = True
    ) -> None:
        self.required = required
        self.looks = looks
        self.permission = permission
        self.__name__ = "access"

    def __call__(self, request: HttpRequest) -> bool:
        if not self.looks:
            return True
        user = caller(request)
        if user is None:
            if self.required:
                raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
            return True
        if self.permission:
            require(user, self.permission)
        return True

    @property
    def openapi_security_schema(self) -> dict[str, Any] | None:
        return None


public = Access(required=False)
# Who calls makes no difference: a stale cookie or token is no reason to refuse a sign-in.
anyone = Access(required=False, looks=False)
signed_in = Access(required=True)


def staff(permission: Permission) -> Access:
    """Only those whose role grants ``permission``."""
    return Access(required=True, permission=permission)


def caller(request: HttpRequest) -> User | None:
    """The person who sends this request, or None.

    Raises Unauthenticated for a token that is not valid: a caller who sends one means it.
    """
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        token = authenticate_token(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise Unauthenticated(
                "This token is not valid, or no longer.", headers={"WWW-Authenticate": "Bearer"}
            )
        request.user = token.user
        request.token = token  # type: ignore[attr-defined]
        return token.user
    if not request.user.is_authenticated:
        return None
    if check_csrf(request) is not None:
        raise CsrfFailed("Send the csrftoken cookie's value as X-CSRFToken.")
    return request.user  # type: ignore[return-value]


def token_of(request: HttpRequest) -> Token | None:
    """The bearer token the caller used, if any."""
    return getattr(request, "token", None)


def person(request: HttpRequest) -> User:
    """The caller of an endpoint that is for ``signed_in`` people only."""
    return cast(User, request.user)


def same_origin(request: HttpRequest) -> bool:
    """Not sent by a page of another origin. Programs send no Origin; browsers always do."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    own = f"{request.scheme}://{request.get_host()}"
    return origin == own or origin in settings.CSRF_TRUSTED_ORIGINS
