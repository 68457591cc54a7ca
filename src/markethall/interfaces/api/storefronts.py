"""Which storefront a call is for."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from markethall.trade.catalog.errors import StorefrontMissing
from markethall.trade.catalog.storefronts import storefronts

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
