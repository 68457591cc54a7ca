from __future__ import annotations

from markethall.kernel.errors import Invalid, NotFound


class OfferMissing(Invalid):
    code, title = "offer_not_found", "There is no such offer"


class StorefrontMissing(Invalid):
    code, title = "storefront_not_found", "There is no such storefront"


class ProductMissing(NotFound):
    code, title = "product_not_found", "There is no such product"


class ConfigurationInvalid(Invalid):
    code, title = "configuration_invalid", "This cannot be made as it was chosen"


class NotSoldInCurrency(Invalid):
    code, title = "currency_not_sold", "This is not sold in that currency"
