"""What search engines read: documents of schema.org."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from markethall.interfaces.web.elysium.offers import Offer
from markethall.trade.catalog.models import Product, ProductImage
from markethall.trade.catalog.pictures import picture_url

_CONTEXT = "https://schema.org"
_STATES = {
    "ready": "InStock",
    "low": "LimitedAvailability",
    "made": "MadeToOrder",
    "out": "OutOfStock",
}


def crumbs(trail: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The way from the start to a page, as (name, address)."""
    return {
        "@context": _CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": place,
                "name": name,
                "item": f"{settings.SITE_URL}{address}",
            }
            for place, (name, address) in enumerate(trail, start=1)
        ],
    }


def product(
    piece: Product, offer: Offer, pictures: Sequence[ProductImage], path: str
) -> dict[str, Any]:
    """A product with its offer in the configuration that is shown."""
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Product",
        "name": piece.name,
        "description": piece.summary or piece.description,
        "url": f"{settings.SITE_URL}{path}",
        "brand": {"@type": "Brand", "name": "ELYSIUM"},
        "image": [picture_url(each.pk, 1280) for each in pictures[:6]],
    }
    if offer.amount is not None:
        document["offers"] = {
            "@type": "Offer",
            "price": str(offer.amount.decimal),
            "priceCurrency": offer.amount.currency,
            "availability": f"{_CONTEXT}/{_STATES.get(offer.state, 'OutOfStock')}",
            "url": document["url"],
        }
    if piece.rating_count:
        document["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(piece.rating_sum / piece.rating_count, 1),
            "reviewCount": piece.rating_count,
        }
    return document
