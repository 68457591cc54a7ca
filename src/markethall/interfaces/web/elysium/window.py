"""The shop window: home, collections, and the pages that only say something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from markethall.interfaces.web.elysium.cards import cards_shown
from markethall.interfaces.web.elysium.frame import STOREFRONT, currency_of
from markethall.interfaces.web.elysium.wishlist import recent
from markethall.trade.catalog.models import Collection, CollectionItem, ProductImage
from markethall.trade.catalog.queries import collections_shown, products_shown
from markethall.trade.shipping.queries import methods_priced_in

_FEATURED = 7  # pieces: one for the cover, the others below it


@dataclass(frozen=True, slots=True)
class Story:
    """A collection with its own picture, else the first of its first piece."""

    slug: str
    name: str
    summary: str
    picture: ProductImage | None


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A large picture, the collections, a few pieces."""
    currency = currency_of(request)
    found = products_shown(storefront=STOREFRONT, currency=currency)
    cards = cards_shown(found.order_by("position", "-id")[:_FEATURED], currency)
    context = {
        "cover": cards[0] if cards else None,
        "featured": cards[1:],
        "stories": stories()[:3],
        "recent": recent(request),
    }
    return render(request, "elysium/home.html", context)


@require_safe
def collections(request: HttpRequest) -> HttpResponse:
    """All collections."""
    return render(request, "elysium/collections.html", {"stories": stories()})


@require_safe
def size_guide(request: HttpRequest) -> HttpResponse:
    """How to measure a finger."""
    return render(request, "elysium/size_guide.html")


@require_safe
def delivery(request: HttpRequest) -> HttpResponse:
    """How pieces travel, there and back."""
    methods = methods_priced_in(STOREFRONT, currency_of(request))
    return render(request, "elysium/delivery.html", {"methods": methods})


def stories() -> list[Story]:
    """The collections with a picture each; three statements for any number."""
    found = list(collections_shown(STOREFRONT))
    pictures = _pictures([each for each in found if each.picture is None])
    return [
        Story(each.slug, each.name, each.summary, each.picture or pictures.get(str(each.pk)))
        for each in found
    ]


def _pictures(found: Sequence[Collection]) -> dict[str, ProductImage]:
    items = CollectionItem.objects.filter(collection__in=found, product__status="active")
    first: dict[str, object] = {}
    for collection_id, product_id in items.order_by("position").values_list(
        "collection_id", "product_id"
    ):
        first.setdefault(str(collection_id), product_id)
    images: dict[object, ProductImage] = {}
    found_images = ProductImage.objects.filter(product__in=first.values()).select_related("file")
    for image in found_images.order_by("position", "pk"):
        images.setdefault(image.product_id, image)
    return {key: images[product] for key, product in first.items() if product in images}
