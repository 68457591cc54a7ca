"""What every page can show. What needs the database is asked for only when a page shows it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may
from markethall.foundation.ledger.queries import Balance, balance_of
from markethall.foundation.platform.queries import platform_settings
from markethall.interfaces.web.links import came_from
from markethall.interfaces.web.visitors import COOKIE
from markethall.trade.catalog.storefronts import goods_storefronts

_THEMES = {"plushify": "Plushify", "elysium": "ELYSIUM", "console": "Console"}
_LINKS = {
    "plushify": (
        ("/plushify/history", "Credits and receipts", "coins"),
        ("/plushify/settings", "Settings", "settings"),
        ("/plushify/account", "Account", "circle-user"),
    ),
    "elysium": (
        ("/elysium/account", "Account", "circle-user"),
        ("/elysium/account/orders", "Orders", "package"),
        ("/elysium/wishlist", "Wishlist", "heart"),
    ),
}
_ORDERS, _TRACKED = "/orders/", "/orders/track/"
_SHOP = "_order_shop"
# Pages that lead nowhere useful once somebody has signed in.
_NO_WAY_BACK = ("/login", "/signup", "/logout", "/forgot-password", "/reset-password", "/verify")


def hall(request: HttpRequest) -> dict[str, Any]:
    """Template variables of every page."""
    theme = theme_of(request)
    shop = SimpleLazyObject(lambda: _credits(request))
    return {
        "sandbox": settings.SANDBOX,
        "site_url": settings.SITE_URL,
        "theme": theme,
        "brand_name": _THEMES.get(theme, "Markethall"),
        "brand_url": f"/{theme}" if theme in _THEMES else "/",
        "login_url": login_url(request),
        "logout_url": "/logout",
        "credits_url": "/plushify/history",
        "house": SimpleLazyObject(platform_settings),
        "balance": SimpleLazyObject(lambda: shop.balance),
        "held": SimpleLazyObject(lambda: shop.held),
        "account_links": SimpleLazyObject(lambda: _account_links(request, theme)),
    }


def theme_of(request: HttpRequest) -> str:
    """The storefront whose look a page wears: its own, or the one somebody comes from."""
    for path in (request.path, request.GET.get("next", "")):
        if first := _theme_at(path):
            return first
    return _shop_of_order(request) if request.path.startswith(_ORDERS) else "hall"


def is_of(request: HttpRequest, storefront: str) -> None:
    """A page under ``/orders/`` belongs to this storefront."""
    setattr(request, _SHOP, storefront)


def _theme_at(path: str) -> str:
    first = path.partition("?")[0].strip("/").partition("/")[0]
    return first if first in _THEMES else ""


def _shop_of_order(request: HttpRequest) -> str:
    """The storefront of the order that is shown; where none is, the one whose page led here, or
    the one that sells to those who have no account."""
    if known := getattr(request, _SHOP, ""):
        return known if known in _THEMES else "hall"
    if (came := _theme_at(urlsplit(came_from(request, "/")).path)) in _LINKS:
        return came
    is_guests = request.path.startswith(_TRACKED) or COOKIE in request.COOKIES
    return goods_storefronts()[0].slug if is_guests else "hall"


def login_url(request: HttpRequest) -> str:
    """Where to sign in, and come back from."""
    if request.path == "/" or request.path.startswith(_NO_WAY_BACK):
        return settings.LOGIN_URL
    back = request.get_full_path() if request.method == "GET" else request.path
    return f"{settings.LOGIN_URL}?{urlencode({'next': back})}"


def _credits(request: HttpRequest) -> Balance:
    user = getattr(request, "user", None)
    return balance_of(user.pk) if isinstance(user, User) else Balance(0, 0)


def _account_links(request: HttpRequest, theme: str) -> list[dict[str, str]]:
    links = [
        {"url": url, "label": label, "icon": icon}
        for url, label, icon in _LINKS.get(theme, _LINKS["plushify"])
    ]
    user = getattr(request, "user", None)
    if isinstance(user, User) and may(user, Permission.CONSOLE):
        links.append({"url": "/console", "label": "Console", "icon": "layout-dashboard"})
    return links
