"""How a storefront's products are ordered: a tree of categories, and collections with a story."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Status

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import person, public, staff
from markethall.interfaces.api.core import router
from markethall.interfaces.api.product_shapes import (
    CategoryIn,
    CategoryOut,
    CollectionIn,
    CollectionOut,
)
from markethall.interfaces.api.schemas import Listing, Out, Paging, as_items, listing, problems
from markethall.interfaces.api.storefronts import shop_of
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.actions.categories import (
    CategoryDraft,
    delete_category,
    save_category,
)
from markethall.trade.catalog.actions.collections import (
    CollectionDraft,
    delete_collection,
    save_collection,
)
from markethall.trade.catalog.errors import CollectionMissing
from markethall.trade.catalog.queries import (
    categories_shown,
    collection_by_key,
    collections_shown,
)

categories = router("catalogue")
collections = router("catalogue")
_writes = staff(Permission.CATALOG_WRITE)
_WRITING = (400, 401, 403, 404, 409, 413, 422)


class GoneOut(Out):
    id: UUID


@categories.get("", auth=public, response={200: Listing[CategoryOut], **problems(401, 422)})
def list_categories(request: HttpRequest) -> Any:
    """The whole tree of a storefront, every category after the one that it stands in."""
    slug, _ = shop_of(request)
    return as_items([CategoryOut.of(row) for row in categories_shown(slug)])


@categories.post("", auth=_writes, response={201: CategoryOut, **problems(*_WRITING)})
def create_category(request: HttpRequest, body: CategoryIn) -> Any:
    """Add a category to the tree."""
    slug, _ = shop_of(request)
    draft = CategoryDraft(**body.model_dump())
    row = save_category(storefront=slug, draft=draft, actor_id=person(request).pk)
    return Status(201, CategoryOut.of(row))


@categories.put(
    "/{uuid:category_id}", auth=_writes, response={200: CategoryOut, **problems(*_WRITING)}
)
def put_category(request: HttpRequest, category_id: UUID, body: CategoryIn) -> Any:
    """Save a category whole; what stands in it moves along."""
    slug, _ = shop_of(request)
    draft = CategoryDraft(**body.model_dump())
    row = save_category(
        storefront=slug, draft=draft, actor_id=person(request).pk, category_id=category_id
    )
    return CategoryOut.of(row)


@categories.delete(
    "/{uuid:category_id}",
    auth=_writes,
    response={200: GoneOut, **problems(401, 403, 404, 409, 422)},
)
def remove_category(request: HttpRequest, category_id: UUID) -> Any:
    """Delete an empty category."""
    slug, _ = shop_of(request)
    delete_category(storefront=slug, category_id=category_id, actor_id=person(request).pk)
    return {"id": category_id}


@collections.get("", auth=public, response={200: Listing[CollectionOut], **problems(401, 422)})
def list_collections(request: HttpRequest, paging: Query[Paging]) -> Any:
    """The collections of a storefront, in its order."""
    slug, _ = shop_of(request)
    page = paginate(
        collections_shown(slug),
        order=["position", "id"],
        limit=paging.limit,
        cursor=paging.cursor,
    )
    return listing(page, CollectionOut.of)


@collections.get(
    "/{collection_id}", auth=public, response={200: CollectionOut, **problems(401, 404, 422)}
)
def get_collection(request: HttpRequest, collection_id: str) -> Any:
    """One collection by its id or slug; its products are those of
    `/api/products?collection=…`."""
    slug, _ = shop_of(request)
    found = collection_by_key(collection_id, storefront=slug)
    if not found.is_active:
        raise CollectionMissing
    return CollectionOut.of(found)


@collections.post("", auth=_writes, response={201: CollectionOut, **problems(*_WRITING)})
def create_collection(request: HttpRequest, body: CollectionIn) -> Any:
    """Put products together, with a story."""
    slug, _ = shop_of(request)
    draft = CollectionDraft(**body.model_dump())
    row = save_collection(storefront=slug, draft=draft, actor_id=person(request).pk)
    return Status(201, CollectionOut.of(row))


@collections.put(
    "/{collection_id}", auth=_writes, response={200: CollectionOut, **problems(*_WRITING)}
)
def put_collection(request: HttpRequest, collection_id: str, body: CollectionIn) -> Any:
    """Save a collection whole."""
    slug, _ = shop_of(request)
    row = save_collection(
        storefront=slug,
        draft=CollectionDraft(**body.model_dump()),
        actor_id=person(request).pk,
        collection_id=collection_by_key(collection_id, storefront=slug).pk,
    )
    return CollectionOut.of(row)


@collections.delete(
    "/{collection_id}", auth=_writes, response={200: GoneOut, **problems(401, 403, 404, 422)}
)
def remove_collection(request: HttpRequest, collection_id: str) -> Any:
    """Delete a collection; its products stay."""
    slug, _ = shop_of(request)
    found = collection_by_key(collection_id, storefront=slug).pk
    delete_collection(storefront=slug, collection_id=found, actor_id=person(request).pk)
    return {"id": found}
