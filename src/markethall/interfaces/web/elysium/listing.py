"""Lists of pieces: all, by category, by collection, by words. Filters stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from markethall.interfaces.web.elysium import structured
from markethall.interfaces.web.elysium.cards import cards_shown
from markethall.interfaces.web.elysium.frame import STOREFRONT, currency_of, menu_of
from markethall.interfaces.web.elysium.nothing import ways_on
from markethall.kernel.errors import NotFound
from markethall.kernel.money import minor_digits
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.facets import FacetGroup
from markethall.trade.catalog.queries import (
    MAX_FACETS,
    categories_shown,
    collections_shown,
    facet_counts,
    order_of,
    products_shown,
)
from markethall.trade.catalog.search import understood

PAGE = 24
_SORTS = {
    "featured": "Our choice",
    "newest": "Newest",
    "price": "Price, rising",
    "-price": "Price, falling",
}
_HIGHEST = 10**9  # a price nobody asks


@dataclass(frozen=True, slots=True)
class Wish:
    """What a list is narrowed by, as its address has it. Prices are whole units of the currency."""

    path: str
    currency: str
    category: str = ""
    collection: str = ""
    q: str = ""
    facets: Sequence[str] = ()
    price_min: int | None = None
    price_max: int | None = None
    sort: str = ""

    @classmethod
    def read(cls, request: HttpRequest, **place: str) -> Wish:
        """The wishes of an address; what makes no sense counts as not wished."""
        sent = request.GET
        sort = sent.get("sort", "")
        return cls(
            path=request.path,
            currency=currency_of(request),
            q=" ".join(sent.get("q", "").replace("\x00", " ").split())[:200],
            facets=_facets(sent.getlist("facet")),
            price_min=_whole(sent.get("price_min", "")),
            price_max=_whole(sent.get("price_max", "")),
            sort=sort if sort in _SORTS else "",
            **place,
        )

    @property
    def narrowed(self) -> dict[str, Any]:
        """What ``products_shown`` and ``facet_counts`` are asked."""
        unit = 10 ** minor_digits(self.currency)
        return {
            "storefront": STOREFRONT,
            "currency": self.currency,
            "category": self.category or None,
            "collection": self.collection or None,
            "facets": self.facets,
            "price_min": None if self.price_min is None else self.price_min * unit,
            "price_max": None if self.price_max is None else self.price_max * unit,
        }

    def without(self, facet: str) -> Wish:
        """The same less one facet, or ``price``."""
        if facet == "price":
            return replace(self, price_min=None, price_max=None)
        return replace(self, facets=[each for each in self.facets if each != facet])

    def address(self, *, cursor: str = "") -> str:
        """The list's address, from ``cursor`` on."""
        pairs = [("q", self.q), *(("facet", facet) for facet in self.facets)]
        pairs += [("price_min", self.price_min), ("price_max", self.price_max)]
        pairs += [("sort", self.sort), ("cursor", cursor)]
        query = urlencode([(name, value) for name, value in pairs if value not in ("", None)])
        return f"{self.path}?{query}" if query else self.path


@require_safe
def everything(request: HttpRequest) -> HttpResponse:
    """All pieces."""
    place = {"title": "All pieces", "children": menu_of(STOREFRONT).categories}
    return _list(request, Wish.read(request), place)


@require_safe
def category(request: HttpRequest, path: str) -> HttpResponse:
    """The pieces of a category, and of those within it."""
    tree = {each.path: each for each in categories_shown(STOREFRONT)}
    here = tree.get(path)
    if here is None:
        raise NotFound("There is no such shelf.")
    steps = path.split("/")
    trail = [tree["/".join(steps[: depth + 1])] for depth in range(len(steps))]
    place = {
        "title": here.name,
        "text": here.description,
        "children": [each for each in tree.values() if each.parent_id == here.pk],
        "crumbs": [("ELYSIUM", "/elysium"), *((c.name, f"/elysium/shop/{c.path}") for c in trail)],
    }
    return _list(request, Wish.read(request, category=path), place)


@require_safe
def collection(request: HttpRequest, slug: str) -> HttpResponse:
    """The pieces of a collection, with its story."""
    here = collections_shown(STOREFRONT).filter(slug=slug).first()
    if here is None:
        raise NotFound("There is no such collection.")
    place = {
        "title": here.name,
        "text": here.summary,
        "story": here.story,
        "crumbs": [
            ("ELYSIUM", "/elysium"),
            ("Collections", "/elysium/collections"),
            (here.name, request.path),
        ],
    }
    return _list(request, Wish.read(request, collection=slug), place)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What is found by words, mistyped ones put right."""
    wish = Wish.read(request)
    place = {"title": f"“{wish.q}”" if wish.q else "Search", "is_search": True}
    if not wish.q:
        context = {**place, "path": wish.path, "cards": [], "ways": ways_on(wish, "", {})}
        return render(request, "elysium/listing.html", context)
    return _list(request, wish, place, understood(storefront=STOREFRONT, q=wish.q))


def _list(request: HttpRequest, wish: Wish, place: dict[str, Any], q: str = "") -> HttpResponse:
    sort = wish.sort or ("relevance" if q else "featured")
    found = products_shown(**wish.narrowed, q=q, sort=sort)
    order = order_of(sort, q=q, collection=wish.collection or None)
    cursor = request.GET.get("cursor") or None
    page = paginate(found, order=order, limit=PAGE, cursor=cursor)
    context: dict[str, Any] = {
        "cards": cards_shown(page.items, wish.currency, showing=wish.facets),
        "next_url": wish.address(cursor=page.next_cursor) if page.next_cursor else "",
    }
    if cursor and request.headers.get("HX-Request"):
        response = render(request, "elysium/parts/cards.html", context)
    else:
        context |= place | _frame(wish, q)
        if crumbs := place.get("crumbs"):
            context["crumbs_document"] = structured.crumbs(crumbs)
        response = render(request, "elysium/listing.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _frame(wish: Wish, q: str) -> dict[str, Any]:
    """What stands around the cards: filters with their counts, what is chosen, and the order."""
    facets = facet_counts(**wish.narrowed, q=q)
    groups = facets.groups
    shown = [group for group in groups if group.code in _kinds(wish, groups)]
    names = {value.key: value.name for group in groups for value in group.values}
    chosen = {facet: names.get(facet, facet) for facet in wish.facets}
    if wish.price_min is not None or wish.price_max is not None:
        chosen["price"] = _span(wish)
    return {
        "path": wish.path,
        "q": wish.q,
        "understood": q if q and q != wish.q else "",
        "currency": wish.currency,
        "count": facets.total,
        "groups": shown,
        "chosen": [
            {"name": name, "without": wish.without(facet).address()}
            for facet, name in chosen.items()
        ],
        "ways": None if facets.total else ways_on(wish, q, chosen),
        "price_min": "" if wish.price_min is None else wish.price_min,
        "price_max": "" if wish.price_max is None else wish.price_max,
        "sort": wish.sort or "featured",
        "sorts": [{"value": value, "label": label} for value, label in _SORTS.items()],
    }


def _kinds(wish: Wish, groups: Sequence[FacetGroup]) -> set[str]:
    """The filters worth showing: not where we are, and not of one value that all have."""
    here = {"category"} if wish.category else {"collection"} if wish.collection else set()
    telling = {
        group.code
        for group in groups
        if len(group.values) > 1 or any(value.is_chosen for value in group.values)
    }
    return telling - here - {"tag"}


def _span(wish: Wish) -> str:
    if wish.price_min is None:
        return f"Up to {wish.price_max:,} {wish.currency}"
    if wish.price_max is None:
        return f"From {wish.price_min:,} {wish.currency}"
    return f"{wish.price_min:,} to {wish.price_max:,} {wish.currency}"


def _facets(sent: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each for each in sent if _is_facet(each)))[:MAX_FACETS]


def _is_facet(text: str) -> bool:
    return ":" in text and "\x00" not in text and len(text) <= 220


def _whole(text: str) -> int | None:
    return (
        min(int(text), _HIGHEST) if text.isascii() and text.isdigit() and len(text) < 15 else None
    )
