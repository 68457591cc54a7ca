"""What stands around every page: menu, bag, currencies."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from markethall.trade.catalog.models import Category, Collection

STOREFRONT = "elysium"


@dataclass(frozen=True, slots=True)
class Menu:
    """The roots of the category tree, and the collections, in their order."""

    categories: list[Category]
    collections: list[Collection]


@dataclass(frozen=True, slots=True)
class Currencies:
    all: list[str]
    chosen: str


def menu_of(storefront: str) -> Menu:
    """What a storefront's menu leads to."""
    shown = {"storefront": storefront, "is_active": True}
    roots = Category.objects.filter(**shown, parent=None).order_by("position", "name")
    collections = Collection.objects.filter(**shown).order_by("position", "name")
    return Menu(list(roots), list(collections.only("slug", "name", "summary")))


def pieces_of(request: HttpRequest) -> int:
    """The pieces in the bag of who asks."""
    return 0


def currencies_of(request: HttpRequest, storefront: str) -> Currencies:
    return Currencies(["USD", "EUR", "GBP", "JPY"], "USD")
