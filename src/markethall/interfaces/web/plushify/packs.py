"""The credit packs, as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from markethall.kernel.money import Money, share
from markethall.trade.catalog.models import LineKind, Offer
from markethall.trade.catalog.queries import active_offers

STOREFRONT = "plushify"


@dataclass(frozen=True, slots=True)
class Pack:
    """``each`` is the price of one picture, rounded; ``best`` marks the best value."""

    code: str
    name: str
    credits: int
    price: str
    each: str
    best: bool


def packs() -> list[Pack]:
    """What can be bought now, the smallest first."""
    offers = list(active_offers(storefront=STOREFRONT, kind=LineKind.CREDITS))
    cheapest = min((_each(offer) for offer in offers), default=0)
    return [
        Pack(
            code=offer.code,
            name=offer.name,
            credits=offer.credits or 1,
            price=str(offer.price),
            each=str(Money(share(offer.amount, 10_000 // (offer.credits or 1)), offer.currency)),
            best=_each(offer) == cheapest,
        )
        for offer in offers
    ]


def _each(offer: Offer) -> float:
    return offer.amount / (offer.credits or 1)
