"""Visitors: people who have not signed in, known by a secret that their browser keeps.

The secret is made here, signed, so that none can be made up; the database has its digest. It is in
an HttpOnly cookie or, of programs, in the header ``X-Visitor``. It ends when somebody signs in,
after what hung on it has become theirs, and when they sign out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from markethall.flows.arrival import arrive
from markethall.foundation.accounts.models import User
from markethall.kernel.ids import digest, new_secret

COOKIE = "visitor"
HEADER = "X-Visitor"
LASTS = timedelta(days=90)
_MOST = 200
_NEW = "_new_visitor"
_GONE = "_visitor_gone"


def visitor_of(request: HttpRequest) -> str | None:
    """The digest of the secret that this request shows, or None."""
    if hasattr(request, _NEW):
        return digest(getattr(request, _NEW))
    if hasattr(request, _GONE):
        return None
    secret = request.headers.get(HEADER, "") or request.COOKIES.get(COOKIE, "")
    return digest(secret) if _is_ours(secret) else None


def is_by_cookie(request: HttpRequest) -> bool:
    """Whether the browser sent the secret by itself, as it would for another site's page too."""
    return not request.headers.get(HEADER) and COOKIE in request.COOKIES


def ensure_visitor(request: HttpRequest, *, by_cookie: bool = True) -> str:
    """The digest of this visitor's secret, which is made when there is none, and told with the
    answer: by the header and, with ``by_cookie``, by the cookie."""
    known = visitor_of(request)
    if known:
        return known
    _renew(request, by_cookie=by_cookie)
    return digest(getattr(request, _NEW))


def signed_in(request: HttpRequest, user: User) -> None:
    """Somebody signed in: the visitor's things become theirs, and the secret ends. A program
    learns the next one by the header."""
    known = visitor_of(request)
    if known is None:
        return
    if left_out := arrive(user, known):
        pieces = "1 older piece is" if left_out == 1 else f"{left_out} older pieces are"
        told = f"Your cart is full: {pieces} on your wishlist instead."
        messages.info(request, told, fail_silently=True)
    if is_by_cookie(request):
        _forget(request)
    else:
        _renew(request, by_cookie=False)


class Visitors:
    """Tell the browser its visitor's secret, or that it has none any more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        secret, by_cookie = getattr(request, _NEW, ""), getattr(request, "_visitor_cookie", False)
        if secret:
            if request.path.startswith("/api/"):
                response.headers[HEADER] = secret
            if by_cookie:
                response.set_cookie(
                    COOKIE,
                    secret,
                    max_age=int(LASTS.total_seconds()),
                    httponly=True,
                    samesite="Lax",
                    secure=settings.SESSION_COOKIE_SECURE,
                )
            patch_vary_headers(response, ["Cookie"])
        elif hasattr(request, _GONE) and COOKIE in request.COOKIES:
            response.delete_cookie(COOKIE, samesite="Lax")
        return response


def listen() -> None:
    """Hear of every sign-in and sign-out of a browser, by whatever way."""
    user_logged_in.connect(_on_sign_in, dispatch_uid="visitors")
    user_logged_out.connect(_on_sign_out, dispatch_uid="visitors")


def _on_sign_in(sender: Any, request: HttpRequest | None, user: User, **more: Any) -> None:
    if request is not None:
        signed_in(request, user)


def _on_sign_out(sender: Any, request: HttpRequest | None, user: Any, **more: Any) -> None:
    if request is not None:
        _forget(request)


def _renew(request: HttpRequest, *, by_cookie: bool) -> None:
    secret = _signer().sign(new_secret())
    setattr(request, _NEW, secret)
    request._visitor_cookie = by_cookie  # type: ignore[attr-defined]


def _forget(request: HttpRequest) -> None:
    for name in (_NEW, "_visitor_cookie"):
        if hasattr(request, name):
            delattr(request, name)
    setattr(request, _GONE, True)


def _is_ours(secret: str) -> bool:
    if not secret or len(secret) > _MOST:
        return False
    try:
        _signer().unsign(secret)
    except signing.BadSignature:
        return False
    return True


def _signer() -> signing.Signer:
    return signing.Signer(salt="markethall.visitors", sep=".")
