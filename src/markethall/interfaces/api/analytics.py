"""What is looked at: one's own last views, and what is looked at most."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Status

from markethall.foundation.accounts.limits import count_by_address
from markethall.insight.analytics import actions
from markethall.insight.analytics.queries import recently_viewed, trending
from markethall.insight.analytics.rules import viewer_of
from markethall.interfaces.api.access import public, same_origin
from markethall.interfaces.api.core import router
from markethall.interfaces.api.product_shapes import ProductCard
from markethall.interfaces.api.schemas import Asked, In, Listing, as_items, problems
from markethall.interfaces.api.shoppers import buyer_of
from markethall.interfaces.api.storefronts import shop_of, storefront_of
from markethall.interfaces.web.visitors import ensure_visitor, visitor_of
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product, ProductStatus
from markethall.trade.catalog.queries import cards_of, product_by_key

routes = router("analytics")


class ViewIn(In):
    """The product by its id, or by its slug at the storefront."""

    product_id: UUID | None = None
    slug: str | None = Field(None, max_length=80)


class FewIn(Asked):
    limit: int = Field(12, ge=1, le=50)


@routes.post(
    "/track-view",
    auth=public,
    response={204: None, **problems(400, 401, 403, 404, 413, 422, 429)},
)
def post_view(request: HttpRequest, body: ViewIn) -> Any:
    """Somebody looks at a product. The same viewer counts once in half an hour."""
    count_by_address("product_view")
    key = str(body.product_id or body.slug or "")
    if not key:
        raise Invalid.field("productId", "Name a product.")
    product = product_by_key(key, storefront=storefront_of(request))
    if product.status != ProductStatus.ACTIVE:
        raise ProductMissing
    user = buyer_of(request)
    visitor = None if user else ensure_visitor(request, by_cookie=same_origin(request))
    viewer = viewer_of(user.pk if user else None, visitor)
    actions.look(viewer=viewer, product_id=product.pk)
    return Status(204, None)


@routes.get(
    "/recently-viewed",
    auth=public,
    response={200: Listing[ProductCard], **problems(401, 403, 422)},
)
def get_recently_viewed(request: HttpRequest, query: Query[FewIn]) -> Any:
    """What the caller looked at last, the latest first."""
    slug, currency = shop_of(request)
    user = buyer_of(request)
    viewer = viewer_of(user.pk if user else None, visitor_of(request))
    found = recently_viewed(viewer, storefront=slug, limit=query.limit) if viewer else []
    return _cards(found, currency)


@routes.get(
    "/trending", auth=public, response={200: Listing[ProductCard], **problems(401, 403, 422)}
)
def get_trending(request: HttpRequest, query: Query[FewIn]) -> Any:
    """What is looked at most these days: a view counts half as much every three days."""
    slug, currency = shop_of(request)
    return _cards(trending(storefront=slug, limit=query.limit), currency)


def _cards(products: list[Product], currency: str) -> Any:
    return as_items([ProductCard.of(card) for card in cards_of(products, currency)])
