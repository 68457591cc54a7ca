"""What stands around every page: menu, bag, currencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from markethall.interfaces.web import currencies
from markethall.trade.catalog.models import Category, Collection
from markethall.trade.catalog.queries import categories_shown, collections_shown
from markethall.trade.catalog.revision import kept
from markethall.trade.catalog.storefronts import storefront as shop_of

STOREFRONT = "elysium"


@dataclass(frozen=True, slots=True)
class Menu:
    """The roots of the category tree, and the collections, in their order."""

    categories: Sequence[Category]
    collections: Sequence[Collection]


@dataclass(frozen=True, slots=True)
class Currencies:
    all: Sequence[str]
    chosen: str


@kept
def menu_of(storefront: str) -> Menu:
    """What a storefront's menu leads to."""
    roots = (each for each in categories_shown(storefront) if each.parent_id is None)
    return Menu(tuple(roots), tuple(collections_shown(storefront)))


def currencies_of(request: HttpRequest, storefront: str) -> Currencies:
    """What a storefront sells in, and what who looks has chosen."""
    return Currencies(shop_of(storefront).currencies, currencies.currency_of(request, storefront))


def currency_of(request: HttpRequest) -> str:
    """The currency that who looks has chosen."""
    return currencies.currency_of(request, STOREFRONT)
