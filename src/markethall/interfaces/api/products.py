"""Products: lists and search for everybody, writing for those who keep the catalogue."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, File, Form, Query, Status
from ninja.files import UploadedFile

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may
from markethall.interfaces.api.access import person, public, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.product_shapes import (
    ConfigurationIn,
    ConfiguredOut,
    DetailOut,
    FacetOut,
    ImageOut,
    ProductCard,
    ProductIn,
    ProductOut,
    ProductState,
    ShelfIn,
    VariantOut,
)
from markethall.interfaces.api.schemas import In, Listing, Money, Out, Paging, problems
from markethall.interfaces.api.storefronts import shop_of, storefront_of
from markethall.kernel.errors import Forbidden, Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.actions.change_prices import change_prices
from markethall.trade.catalog.actions.move_products import move_product, move_products
from markethall.trade.catalog.actions.pictures import Upload, add_picture, delete_picture
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product, ProductStatus, Variant
from markethall.trade.catalog.queries import (
    cards_of,
    detail_of,
    facet_counts,
    order_of,
    product_by_key,
    products_kept,
    products_shown,
)
from markethall.trade.catalog.revision import kept
from markethall.trade.catalog.rules import configure
from markethall.trade.catalog.search import understood
from markethall.trade.catalog.specs import specs_of
from markethall.trade.inventory.queries import availability_of

routes = router("catalogue")
_writes = staff(Permission.CATALOG_WRITE)
_WRITING = (400, 401, 403, 404, 409, 413, 422)


class Wishes(Paging, ShelfIn):
    """A page of a narrowed list."""


class ProductsIn(Wishes):
    status: ProductState | Literal["all"] = Field(
        "active", description="Another than `active` needs `catalog.write`."
    )
    facets: bool = Field(False, description="Count facets too.")


class SearchIn(Wishes):
    q: str = Field(min_length=1, max_length=200, description="Words, phrases, OR, -without.")


class ProductsOut(Listing[ProductCard]):
    """``facets`` where they were asked for: values of a name that the list is narrowed by are
    counted as if it were not."""

    facets: list[FacetOut] | None = None


class FoundOut(ProductsOut):
    """``searchedFor`` differs from what was sent where a mistyped word was put right."""

    searched_for: str


class MoveIn(In):
    note: str = Field("", max_length=500)


class ReasonIn(In):
    note: str = Field(min_length=1, max_length=500, examples=["The pictures are too dark."])


class BulkIn(In):
    """``percent`` for ``price`` only: what prices, and what options add to them, change by."""

    ids: list[UUID] = Field(min_length=1, max_length=200)
    action: Literal["activate", "archive", "draft", "submit", "price"]
    percent: Annotated[Decimal, Field(ge=-90, le=900, decimal_places=2)] | None = None


class BulkOut(Out):
    changed: int


@routes.get("", auth=public, response={200: ProductsOut, **problems(401, 403, 422)})
def list_products(request: HttpRequest, query: Query[ProductsIn]) -> Any:
    """Products of a storefront, priced in a currency (`X-Currency`, or its default)."""
    slug, currency = shop_of(request)
    if query.status == "active":
        page = _page(slug, currency, query.model_dump_json(by_alias=True))
        return HttpResponse(page, content_type="application/json; charset=utf-8")
    if not _keeps(request):
        raise Forbidden("Only who keeps the catalogue sees what is not for sale.")
    found = products_kept(
        storefront=slug,
        status="" if query.status == "all" else query.status,
        q=query.q,
        category=query.category,
    )
    page = paginate(found, order=["-id"], limit=query.limit, cursor=query.cursor)
    return _listed(page, currency)


@routes.get("/search", auth=public, response={200: FoundOut, **problems(401, 422)})
def search_products(request: HttpRequest, query: Query[SearchIn]) -> Any:
    """Search products; the beginning of the last word is enough. Best hits first."""
    slug, currency = shop_of(request)
    text = understood(storefront=slug, q=query.q)
    found = _shelf(slug, currency, query, text, facets=True, sort="relevance")
    return {**found, "searched_for": text}


@routes.post("", auth=_writes, response={201: ProductOut, **problems(*_WRITING)})
def create_product(request: HttpRequest, body: ProductIn) -> Any:
    """Write a product down, as a draft."""
    slug, _ = shop_of(request)
    saved = save_product(storefront=slug, draft=body.draft(), actor_id=person(request).pk)
    return Status(201, _whole(saved.product.pk))


@routes.post("/bulk", auth=_writes, response={200: BulkOut, **problems(*_WRITING)})
def change_many(request: HttpRequest, body: BulkIn) -> Any:
    """Change up to 200 products at once, all or none."""
    actor_id = person(request).pk
    if (body.action == "price") != (body.percent is not None):
        raise Invalid.field("percent", "A price changes by percent; nothing else does.")
    return answer_once(request, lambda: (200, BulkOut(changed=_change_many(body, actor_id))))


def _change_many(body: BulkIn, actor_id: UUID) -> int:
    if body.percent is not None:
        points = int(body.percent * 100)
        return change_prices(product_ids=body.ids, basis_points=points, actor_id=actor_id)
    to = {
        "activate": ProductStatus.ACTIVE,
        "archive": ProductStatus.ARCHIVED,
        "draft": ProductStatus.DRAFT,
        "submit": ProductStatus.SUBMITTED,
    }[body.action]
    return len(move_products(product_ids=body.ids, to=to, actor_id=actor_id))


@routes.get("/{product_id}", auth=public, response={200: ProductOut, **problems(401, 404, 422)})
def get_product(request: HttpRequest, product_id: str) -> Any:
    """A product by its id or slug."""
    return ProductOut.of(detail_of(_visible(request, product_id)))


@routes.put("/{product_id}", auth=_writes, response={200: ProductOut, **problems(*_WRITING)})
def put_product(request: HttpRequest, product_id: str, body: ProductIn) -> Any:
    """Save a product whole. Variants that are no longer possible stay in the books."""
    product = _one(request, product_id)
    save_product(
        storefront=product.storefront,
        draft=body.draft(),
        actor_id=person(request).pk,
        product_id=product.pk,
        unchanged_since=body.updated_at,
    )
    return _whole(product.pk)


@routes.delete(
    "/{product_id}", auth=_writes, response={200: ProductOut, **problems(401, 403, 404, 409, 422)}
)
def delete_product(request: HttpRequest, product_id: str) -> Any:
    """Take a product from the shelf for good. Orders speak of it, so it is kept, archived."""
    return _moved(request, product_id, ProductStatus.ARCHIVED, "")


@routes.post(
    "/{product_id}/approve", auth=_writes, response={200: ProductOut, **problems(*_WRITING)}
)
def approve_product(request: HttpRequest, product_id: str, body: MoveIn) -> Any:
    """Put a product on the shelf."""
    return _moved(request, product_id, ProductStatus.ACTIVE, body.note)


@routes.post(
    "/{product_id}/reject", auth=_writes, response={200: ProductOut, **problems(*_WRITING)}
)
def reject_product(request: HttpRequest, product_id: str, body: ReasonIn) -> Any:
    """Refuse what was submitted, and say why."""
    return _moved(request, product_id, ProductStatus.REJECTED, body.note)


@routes.post(
    "/{product_id}/price",
    auth=public,
    response={200: ConfiguredOut, **problems(400, 401, 403, 404, 413, 422)},
)
def price_product(request: HttpRequest, product_id: str, body: ConfigurationIn) -> Any:
    """Check a configuration and price it: what a configurator shows while somebody chooses."""
    product = _visible(request, product_id)
    currency = body.currency or shop_of(request, product.storefront)[1]
    configured = configure(specs_of([product.pk])[product.pk], body.configuration, currency)
    variant = Variant.objects.filter(
        product=product, key=configured.variant_key, is_active=True
    ).first()
    return ConfiguredOut(
        price=Money.of(configured.price),
        configuration=dict(configured.chosen),
        shown=[DetailOut(name=name, value=value) for name, value in configured.shown],
        variant=VariantOut(id=variant.pk, key=variant.key, sku=variant.sku, name=variant.name)
        if variant
        else None,
        available=_available(variant),
    )


@routes.post(
    "/{product_id}/images",
    auth=_writes,
    response={201: ImageOut, **problems(400, 401, 403, 404, 413, 415, 422, 429, 503)},
)
def post_image(
    request: HttpRequest,
    product_id: str,
    file: File[UploadedFile],
    alt: Form[str] = "",
    shows: Form[str] = "",
) -> Any:
    """Add a picture: JPEG, PNG or WebP, at most 10 MB. ``shows`` names option values that it is of,
    with commas: `metal:gold`."""
    image = add_picture(
        product_id=_one(request, product_id).pk,
        upload=Upload(file.file, file.size or 0, file.name or "", file.content_type or ""),
        alt=alt,
        shows=[each.strip() for each in shows.split(",") if each.strip()],
        actor_id=person(request).pk,
    )
    return Status(201, ImageOut.of(image))


@routes.delete(
    "/{product_id}/images/{uuid:picture_id}",
    auth=_writes,
    response={200: ProductOut, **problems(401, 403, 404, 422)},
)
def delete_image(request: HttpRequest, product_id: str, picture_id: UUID) -> Any:
    """Delete a picture with its files."""
    product = _one(request, product_id)
    delete_picture(product_id=product.pk, image_id=picture_id, actor_id=person(request).pk)
    return _whole(product.pk)


def _shelf(
    slug: str,
    currency: str,
    query: Wishes,
    text: str,
    *,
    facets: bool,
    sort: str = "featured",
) -> dict[str, Any]:
    sort = query.sort or sort
    wishes: dict[str, Any] = {
        "storefront": slug,
        "currency": currency,
        "category": query.category or None,
        "collection": query.collection or None,
        "q": text,
        "facets": query.facet,
        "price_min": query.price_min,
        "price_max": query.price_max,
    }
    page = paginate(
        products_shown(**wishes, sort=sort).select_related("category"),
        order=order_of(sort, q=text, collection=query.collection or None),
        limit=query.limit,
        cursor=query.cursor,
    )
    counts = [FacetOut.of(group) for group in facet_counts(**wishes).groups] if facets else None
    return {**_listed(page, currency, query.facet), "facets": counts}


@kept
def _page(slug: str, currency: str, wishes: str) -> bytes:
    """A page of a list as JSON."""
    query = ProductsIn.model_validate_json(wishes)
    shown = _shelf(slug, currency, query, query.q, facets=query.facets)
    return ProductsOut.model_validate(shown).model_dump_json(by_alias=True).encode()


def _listed(page: Any, currency: str, showing: Any = ()) -> dict[str, Any]:
    cards = cards_of(page.items, currency, showing=showing)
    return {"items": [ProductCard.of(card) for card in cards], "next_cursor": page.next_cursor}


def _keeps(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and may(user, Permission.CATALOG_WRITE)


def _one(request: HttpRequest, key: str) -> Product:
    """A product by id, or by its slug at the storefront that is asked."""
    return product_by_key(key, storefront=storefront_of(request))


def _visible(request: HttpRequest, key: str) -> Product:
    product = _one(request, key)
    if product.status != ProductStatus.ACTIVE and not _keeps(request):
        raise ProductMissing
    return product


def _available(variant: Variant | None) -> int | None:
    if variant is None:
        return 0
    found = availability_of([variant.pk]).get(variant.pk)
    return None if found and not found.is_counted else found.available if found else 0


def _whole(product_id: UUID) -> ProductOut:
    return ProductOut.of(detail_of(product_by_key(str(product_id))))


def _moved(request: HttpRequest, key: str, to: ProductStatus, note: str) -> ProductOut:
    product = _one(request, key)
    move_product(product_id=product.pk, to=to, actor_id=person(request).pk, note=note)
    return _whole(product.pk)
