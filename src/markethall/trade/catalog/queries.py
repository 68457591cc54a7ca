from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from markethall.trade.catalog.errors import OfferMissing
from markethall.trade.catalog.models import LineKind, Offer


def active_offers(*, storefront: str = "", kind: LineKind | None = None) -> QuerySet[Offer]:
    """What can be bought now, in the order it is shown."""
    offers = Offer.objects.filter(is_active=True).order_by("position", "pk")
    if storefront:
        offers = offers.filter(storefront=storefront)
    return offers.filter(kind=kind) if kind else offers


def offer_by_code(code: str) -> Offer:
    """An offer that can be bought now; raises OfferMissing."""
    return offers_by_code([code])[code]


def offers_by_code(codes: Iterable[str], *, storefront: str = "") -> dict[str, Offer]:
    """Offers that can be bought now, by code, at one storefront or any.

    Raises OfferMissing for the first that is none.
    """
    wanted = list(codes)
    offers = active_offers(storefront=storefront).filter(code__in=wanted)
    found = {offer.code: offer for offer in offers}
    for code in wanted:
        if code not in found:
            where = f" at {storefront}" if storefront else ""
            raise OfferMissing.field("item", f"There is no offer called {code!r}{where}.")
    return found
