"""What people say of products that they bought."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Status

from markethall.flows.reviews import review_product
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import person, public, signed_in, staff
from markethall.interfaces.api.core import router
from markethall.interfaces.api.product_shapes import ReviewIn, ReviewOut, ReviewStateIn
from markethall.interfaces.api.schemas import Listing, Paging, listing, problems
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.actions.reviews import hide_review
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product, ProductStatus, Review
from markethall.trade.catalog.queries import product_by_key

routes = router("catalogue")


@routes.get(
    "/{product_id}/reviews",
    auth=public,
    response={200: Listing[ReviewOut], **problems(401, 404, 422)},
)
def list_reviews(request: HttpRequest, product_id: str, paging: Query[Paging]) -> Any:
    """Reviews of a product, the newest first."""
    product = _shown(product_by_key(product_id, storefront=storefront_of(request)))
    found = Review.objects.filter(product=product, is_hidden=False)
    page = paginate(found, order=["-id"], limit=paging.limit, cursor=paging.cursor)
    return listing(page, ReviewOut.of)


@routes.post(
    "/{product_id}/reviews",
    auth=signed_in,
    response={201: ReviewOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def post_review(request: HttpRequest, product_id: str, body: ReviewIn) -> Any:
    """Review what one has bought, once."""
    product = _shown(product_by_key(product_id, storefront=storefront_of(request)))
    review = review_product(product=product, user=person(request), **body.model_dump())
    return Status(201, ReviewOut.of(review))


@routes.put(
    "/{product_id}/reviews/{uuid:review_id}",
    auth=staff(Permission.CATALOG_WRITE),
    response={200: ReviewOut, **problems(400, 401, 403, 404, 413, 422)},
)
def put_review(request: HttpRequest, product_id: str, review_id: UUID, body: ReviewStateIn) -> Any:
    """Hide a review, or show it again."""
    product = product_by_key(product_id, storefront=storefront_of(request))
    review = hide_review(
        product_id=product.pk,
        review_id=review_id,
        hidden=body.is_hidden,
        actor_id=person(request).pk,
        reason=body.reason,
    )
    return ReviewOut.of(review)


def _shown(product: Product) -> Product:
    if product.status != ProductStatus.ACTIVE:
        raise ProductMissing
    return product
