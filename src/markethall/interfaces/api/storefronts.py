"""Which storefront a call is for."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from markethall.interfaces.web.currencies import currency_of
from markethall.trade.catalog.errors import StorefrontMissing
from markethall.trade.catalog.storefronts import goods_storefronts, storefronts

HEADER = "X-Storefront"


def storefront_of(request: HttpRequest) -> str:
    """The slug that ``X-Storefront`` names, else the host's; empty when neither says one, and the
    item decides. Raises StorefrontMissing for a name that is none.
    """
    named = request.headers.get(HEADER, "").strip().lower()
    if not named:
        domain, _ = split_domain_port(request.get_host())
        return settings.ENVIRONMENT.storefront_hosts.get(domain, "")
    known = storefronts()
    if named not in known:
        raise StorefrontMissing.field(
            HEADER, f"There is no storefront called {named[:40]!r}: name {', '.join(known)}."
        )
    return named


def shop_of(request: HttpRequest, slug: str = "") -> tuple[str, str]:
    """The storefront whose goods a call is about, and the currency in which it wants them.

    Where nobody names a storefront, the first that sells goods; the currency is the one that
    ``X-Currency`` names, or the address, if the storefront sells in it, else its default.
    """
    slug = slug or storefront_of(request) or goods_storefronts()[0].slug
    return slug, currency_of(request, slug)
