"""What a list without a piece offers instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markethall.insight.analytics.queries import trending
from markethall.interfaces.web.elysium.cards import CardShown, cards_shown
from markethall.interfaces.web.elysium.frame import STOREFRONT, menu_of
from markethall.kernel.pagination import count_up_to
from markethall.trade.catalog.queries import products_shown
from markethall.trade.catalog.search import nearby

if TYPE_CHECKING:
    from markethall.interfaces.web.elysium.listing import Wish

_LIKED = 6  # pieces: full rows of two and of three
_LOOSENED = 6  # filters that are tried without


def ways_on(wish: Wish, q: str, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Near spellings, what is there without one of the filters, the categories, and the pieces
    that are looked at most; while none is, those that the storefront shows first.

    ``q`` is what was searched for; ``chosen`` the filters by what ``Wish.without`` takes.
    """
    liked = _liked(wish.currency)
    words = nearby(storefront=STOREFRONT, currency=wish.currency, q=q) if q and not chosen else []
    return {
        "words": [
            {"word": word, "url": f"/elysium/search?{urlencode({'q': word})}"} for word in words
        ],
        "loosened": _loosened(wish, q, chosen),
        "categories": menu_of(STOREFRONT).categories,
        "are_liked": bool(liked),
        "pieces": liked or _first(wish.currency),
    }


def _liked(currency: str) -> list[CardShown]:
    looked_at = cards_shown(trending(storefront=STOREFRONT), currency)
    return [card for card in looked_at if card.price][:_LIKED]


def _first(currency: str) -> list[CardShown]:
    found = products_shown(storefront=STOREFRONT, currency=currency)
    return cards_shown(found.order_by("position", "-id")[:_LIKED], currency)


def _loosened(wish: Wish, q: str, chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    ways = []
    for facet, name in list(chosen.items())[:_LOOSENED]:
        less = wish.without(facet)
        if count := count_up_to(products_shown(**less.narrowed, q=q)):
            ways.append({"name": name, "url": less.address(), "count": count})
    return ways
