from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from markethall.foundation.audit.actions import record
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock_one
from markethall.trade.catalog.actions.pictures import remove
from markethall.trade.catalog.errors import CollectionMissing, SlugTaken
from markethall.trade.catalog.models import Collection, CollectionItem, Facet, Product
from markethall.trade.catalog.upkeep import refresh

MAX_PRODUCTS = 1000


@dataclass(frozen=True, slots=True)
class CollectionDraft:
    """A collection as it is saved. ``products`` are slugs in the order in which they are shown;
    None leaves them as they are."""

    slug: str
    name: str
    summary: str = ""
    story: str = ""
    position: int = 0
    is_active: bool = True
    products: Sequence[str] | None = None


_PLAIN = ("slug", "name", "summary", "story", "position", "is_active")


def save_collection(
    *,
    storefront: str,
    draft: CollectionDraft,
    actor_id: uuid.UUID | None,
    collection_id: uuid.UUID | None = None,
) -> Collection:
    """Save a new collection, or over the one that has ``collection_id``. What is the same already
    is not written.

    Raises Invalid for products that there are none of, SlugTaken and CollectionMissing.
    """
    with transaction.atomic():
        collection = _locked(storefront, collection_id)
        before = {name: getattr(collection, name) for name in _PLAIN}
        items = None if draft.products is None else _products(storefront, draft.products)
        held = list(_items(collection)) if collection_id else []
        after = {name: getattr(draft, name) for name in _PLAIN}
        if collection_id and before == after and items in (None, held):
            return collection
        for name, value in after.items():
            setattr(collection, name, value)
        try:
            with transaction.atomic():
                collection.save(force_insert=collection_id is None)
        except IntegrityError as error:
            raise SlugTaken(f"There is a collection {draft.slug!r} already.") from error
        if items is not None and items != held:
            _write_items(collection, items)
        _name_facet(collection, before["slug"] if collection_id else "")
        refresh({*held, *(items or held)})
        record(
            "collection.save" if collection_id else "collection.create",
            actor_id=actor_id,
            subject_type="collection",
            subject_id=collection.pk,
            slug=collection.slug,
        )
    return collection


def delete_collection(*, storefront: str, collection_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """Delete a collection; its products stay. Raises CollectionMissing."""
    with transaction.atomic():
        collection = _locked(storefront, collection_id)
        held = list(_items(collection))
        record(
            "collection.delete",
            actor_id=actor_id,
            subject_type="collection",
            subject_id=collection.pk,
            slug=collection.slug,
        )
        Facet.objects.filter(storefront=storefront, key=f"collection:{collection.slug}").delete()
        picture = collection.picture
        collection.delete()
        if picture:
            remove(picture)
        refresh(held)


def _locked(storefront: str, collection_id: uuid.UUID | None) -> Collection:
    if collection_id is None:
        return Collection(storefront=storefront)
    return lock_one(
        Collection.objects.filter(pk=collection_id, storefront=storefront),
        missing=CollectionMissing,
    )


def _products(storefront: str, slugs: Sequence[str]) -> list[uuid.UUID]:
    if len(slugs) > MAX_PRODUCTS:
        raise Invalid.field("products", f"A collection has at most {MAX_PRODUCTS} products.")
    found = dict(
        Product.objects.filter(storefront=storefront, slug__in=slugs).values_list("slug", "pk")
    )
    for slug in slugs:
        if slug not in found:
            raise Invalid.field("products", f"There is no product {slug!r}.")
    return [found[slug] for slug in dict.fromkeys(slugs)]


def _items(collection: Collection) -> Sequence[uuid.UUID]:
    rows = CollectionItem.objects.filter(collection=collection).order_by("position", "pk")
    return list(rows.values_list("product_id", flat=True))


def _write_items(collection: Collection, products: Sequence[uuid.UUID]) -> None:
    CollectionItem.objects.filter(collection=collection).delete()
    CollectionItem.objects.bulk_create(
        CollectionItem(collection=collection, product_id=product_id, position=position)
        for position, product_id in enumerate(products)
    )


def _name_facet(collection: Collection, before: str) -> None:
    if before and before != collection.slug:
        Facet.objects.filter(storefront=collection.storefront, key=f"collection:{before}").delete()
    Facet.objects.update_or_create(
        storefront=collection.storefront,
        key=f"collection:{collection.slug}",
        defaults={"group": "Collection", "name": collection.name, "position": collection.position},
    )
