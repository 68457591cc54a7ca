from __future__ import annotations

from markethall.kernel.errors import Invalid


class OfferMissing(Invalid):
    code, title = "offer_not_found", "There is no such offer"


class StorefrontMissing(Invalid):
    code, title = "storefront_not_found", "There is no such storefront"
