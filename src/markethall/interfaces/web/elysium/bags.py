"""Whose bag a request is about."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from markethall.interfaces.web.currencies import currency_of
from markethall.interfaces.web.visitors import ensure_visitor, visitor_of
from markethall.trade.cart.actions import change_currency
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.cart.queries import cart_of, count_of, line_of
from markethall.trade.cart.rules import Owner

STOREFRONT = "elysium"


def owner_of(request: HttpRequest) -> Owner | None:
    """Who asks; None for somebody who has left nothing here yet."""
    if request.user.is_authenticated:
        return Owner(user_id=request.user.pk)
    visitor = visitor_of(request)
    return Owner(visitor_digest=visitor) if visitor else None


def ensure_owner(request: HttpRequest) -> Owner:
    """Who asks, known from now on."""
    return owner_of(request) or Owner(visitor_digest=ensure_visitor(request))


def cart_here(request: HttpRequest) -> Cart | None:
    """The bag of who asks, in the currency they look in; None when they never put anything in."""
    owner = owner_of(request)
    cart = cart_of(owner, STOREFRONT) if owner else None
    if cart is not None:
        change_currency(cart=cart, currency=currency_of(request, STOREFRONT))
    return cart


def line_here(request: HttpRequest, text: str) -> CartLine | None:
    """The line of that id in the bag of who asks."""
    owner = owner_of(request)
    try:
        return line_of(owner, UUID(text)) if owner and text else None
    except ValueError:
        return None


def pieces_of(request: HttpRequest) -> int:
    """How many pieces are in the bag of who asks."""
    owner = owner_of(request)
    return count_of(owner, STOREFRONT) if owner else 0
