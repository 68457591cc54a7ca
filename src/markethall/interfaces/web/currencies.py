"""Which currency somebody looks at a storefront in: what the address or a header names, else what
they chose before (a cookie), else the storefront's default."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from markethall.trade.catalog.storefronts import storefront, storefronts

NAME = "currency"
HEADER = "X-Currency"
_A_YEAR = 365 * 24 * 3600


def currency_of(request: HttpRequest, slug: str) -> str:
    """The currency in which this request sees the storefront ``slug``."""
    return chosen_currency(request, slug) or storefront(slug).currency


def chosen_currency(request: HttpRequest, slug: str) -> str:
    """The currency that this request, or its browser earlier, chose at a storefront; empty when it
    chose none that it sells in."""
    sold_in = storefront(slug).currencies
    named = (
        request.GET.get(NAME, ""),
        request.headers.get(HEADER, ""),
        request.COOKIES.get(NAME, ""),
    )
    return next((each.upper() for each in named if each.upper() in sold_in), "")


class ChosenCurrency:
    """Keep a currency that the address of a page named."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        named = request.GET.get(NAME, "").upper()
        known = {currency for slug in storefronts() for currency in storefront(slug).currencies}
        if named in known and not request.path.startswith("/api/"):
            response.set_cookie(
                NAME,
                named,
                max_age=_A_YEAR,
                samesite="Lax",
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response
