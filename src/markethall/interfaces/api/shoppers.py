"""Whose cart a call is about: the caller's or, of who has not signed in, the visitor's."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.utils import check_csrf

from markethall.foundation.accounts.models import User
from markethall.interfaces.api.access import same_origin
from markethall.interfaces.web import visitors
from markethall.interfaces.web.errors import CsrfFailed
from markethall.trade.cart.rules import Owner


def buyer_of(request: HttpRequest) -> User | None:
    """The caller, when they have signed in."""
    return request.user if isinstance(request.user, User) else None


def shopper_of(request: HttpRequest) -> Owner | None:
    """Whose cart the caller has, if anyone's. To change it, a visitor who is known by a cookie
    sends a CSRF token along."""
    if user := buyer_of(request):
        return Owner(user_id=user.pk)
    digest = visitors.visitor_of(request)
    if digest is None:
        return None
    is_unsafe = request.method not in {"GET", "HEAD", "OPTIONS"}
    if is_unsafe and visitors.is_by_cookie(request) and check_csrf(request) is not None:
        raise CsrfFailed("Send the csrftoken cookie's value as X-CSRFToken.")
    return Owner(visitor_digest=digest)


def new_shopper(request: HttpRequest) -> Owner:
    """As ``shopper_of``, and a new visitor where there is none. Only a page of this site is given
    the cookie."""
    return shopper_of(request) or Owner(
        visitor_digest=visitors.ensure_visitor(request, by_cookie=same_origin(request))
    )
