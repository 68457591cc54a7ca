from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.kernel import clock
from markethall.kernel.locking import lock
from markethall.trade.catalog.errors import ProductMissing, StatusMoveNotAllowed
from markethall.trade.catalog.models import Product, ProductPrice, ProductStatus
from markethall.trade.catalog.status_rules import can_move
from markethall.trade.catalog.upkeep import refresh_prices


def move_product(
    *, product_id: uuid.UUID, to: ProductStatus, actor_id: uuid.UUID | None, note: str = ""
) -> Product:
    """Move one product to another state; see ``move_products``."""
    return move_products(product_ids=[product_id], to=to, actor_id=actor_id, note=note)[0]


def move_products(
    *,
    product_ids: Sequence[uuid.UUID],
    to: ProductStatus,
    actor_id: uuid.UUID | None,
    note: str = "",
) -> list[Product]:
    """Move products to another state, all or none; one that is there already stays as it is.

    Raises ProductMissing, and StatusMoveNotAllowed also for what has no price and shall be shown.
    """
    with transaction.atomic():
        products = lock(Product.objects.filter(pk__in=set(product_ids)))
        if len(products) < len(set(product_ids)):
            raise ProductMissing
        moving = [product for product in products if product.status != to]
        _check(moving, to)
        now = clock.now()
        for product in moving:
            record(
                f"product.{to}",
                actor_id=actor_id,
                subject_type="product",
                subject_id=product.pk,
                slug=product.slug,
                before=product.status,
                note=note,
            )
            product.status, product.status_note, product.updated_at = to, note, now
            if to == ProductStatus.ACTIVE and product.published_at is None:
                product.published_at = now
        Product.objects.bulk_update(moving, ["status", "status_note", "updated_at", "published_at"])
        if moving:
            refresh_prices(product.pk for product in moving)
    return products


def _check(products: Sequence[Product], to: ProductStatus) -> None:
    for product in products:
        if not can_move(product.status, to):
            raise StatusMoveNotAllowed(
                f"{product.name} is {product.status}, and cannot become {to}."
            )
    if to == ProductStatus.ACTIVE:
        ids = [product.pk for product in products]
        priced = set(
            ProductPrice.objects.filter(product__in=ids).values_list("product_id", flat=True)
        )
        for product in products:
            if product.pk not in priced:
                raise StatusMoveNotAllowed(f"{product.name} has no price yet.")
