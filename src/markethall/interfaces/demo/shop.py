"""ELYSIUM's shelves: categories, collections, pieces with their pictures, stock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from markethall.interfaces.demo import pieces
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.actions.move_products import move_product
from markethall.trade.catalog.actions.pictures import (
    Upload,
    add_picture,
    show_collection_with,
)
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.models import (
    Category,
    Collection,
    Product,
    ProductImage,
    ProductStatus,
)

STOREFRONT = "elysium"


def fill_shelves(actor_id: UUID | None) -> int:
    """Make what is missing of categories, collections and pieces; returns how many pieces."""
    there = set(Category.objects.filter(storefront=STOREFRONT).values_list("path", flat=True))
    for position, (slug, name, parent, text) in enumerate(pieces.categories()):
        draft = CategoryDraft(slug, name, parent, text, position)
        if draft.path not in there:
            save_category(storefront=STOREFRONT, draft=draft, actor_id=actor_id)
    told = pieces.told()
    there = set(Collection.objects.filter(storefront=STOREFRONT).values_list("slug", flat=True))
    for position, each in enumerate(told["collections"]):
        if each["slug"] not in there:
            draft = CollectionDraft(each["slug"], each["name"], each["summary"], position=position)
            save_collection(storefront=STOREFRONT, draft=draft, actor_id=actor_id)
    there = set(Product.objects.filter(storefront=STOREFRONT).values_list("slug", flat=True))
    for position, each in enumerate(told["pieces"]):
        if each["slug"] not in there:
            draft = pieces.draft(each, position)
            saved = save_product(storefront=STOREFRONT, draft=draft, actor_id=actor_id)
            move_product(product_id=saved.product.pk, to=ProductStatus.ACTIVE, actor_id=actor_id)
    return len(told["pieces"])


def hang_pictures() -> int:
    """Add the pictures that are missing, those of the first pieces first; returns how many."""
    there = {each.slug: each for each in Product.objects.filter(storefront=STOREFRONT)}
    places = {
        slug: place for place, slug in enumerate(each["slug"] for each in pieces.told()["pieces"])
    }
    had = set(ProductImage.objects.exclude(product=None).values_list("product_id", "alt"))
    told = pieces.pictures()
    hung = 0
    for name, picture in sorted(
        told.items(), key=lambda item: (_rank(item[1]), places.get(item[1]["piece"], 99))
    ):
        product = there.get(picture["piece"])
        if product and (product.pk, picture["alt"]) not in had:
            _hang(product, name, picture)
            hung += 1
    for name, picture in told.items():
        _show(name, picture)
    return hung


def _rank(picture: Mapping[str, Any]) -> int:
    """What is seen first is hung first: each piece in its first metal, then in the others."""
    metals = list(pieces.METALS)
    return (0 if picture["view"] == "main" else 10) + metals.index(picture["options"]["metal"])


def _hang(product: Product, name: str, picture: Mapping[str, Any]) -> None:
    shows = [f"{option}:{value}" for option, value in picture["options"].items()]
    with (pieces.FOLDER / name).open("rb") as file:
        upload = Upload(file, (pieces.FOLDER / name).stat().st_size, name, "image/webp")
        add_picture(
            product_id=product.pk, upload=upload, actor_id=None, alt=picture["alt"], shows=shows
        )


def _show(name: str, picture: Mapping[str, Any]) -> None:
    """Give a collection the picture that was made for it."""
    found = Collection.objects.filter(storefront=STOREFRONT, slug=picture["collection"] or "-")
    collection = found.filter(picture=None).first()
    if collection is None:
        return
    with (pieces.FOLDER / name).open("rb") as file:
        upload = Upload(file, (pieces.FOLDER / name).stat().st_size, name, "image/webp")
        show_collection_with(
            collection_id=collection.pk, upload=upload, actor_id=None, alt=picture["alt"]
        )
