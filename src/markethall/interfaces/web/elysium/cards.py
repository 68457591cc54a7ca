"""Pieces as lists show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markethall.interfaces.web.elysium.prices import written
from markethall.trade.catalog.models import Product, ProductImage
from markethall.trade.catalog.queries import Card, cards_of


@dataclass(frozen=True, slots=True)
class CardShown:
    """``price`` is of the cheapest configuration; ``is_from`` says that there are dearer ones."""

    slug: str
    name: str
    url: str
    picture: ProductImage | None
    price: str
    badge: str = ""
    is_from: bool = True


def cards_shown(
    products: Iterable[Product], currency: str, *, showing: Sequence[str] = ()
) -> list[CardShown]:
    """Cards in the order of ``products``; pictures that show ``showing`` come first."""
    return [shown(card) for card in cards_of(products, currency, showing=showing)]


def shown(card: Card) -> CardShown:
    product = card.product
    return CardShown(
        slug=product.slug,
        name=product.name,
        url=f"/elysium/pieces/{product.slug}",
        picture=card.image,
        price=written(card.from_price) if card.from_price else "",
        badge="New" if "new" in product.tags else "",
    )
