from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.kernel import clock
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock
from markethall.kernel.money import share
from markethall.trade.catalog.draft_rules import MAX_AMOUNT
from markethall.trade.catalog.errors import ChangedMeanwhile, ProductMissing
from markethall.trade.catalog.models import PriceEffect, Product, ProductPrice
from markethall.trade.catalog.upkeep import refresh_prices


def change_prices(
    *,
    product_ids: Sequence[uuid.UUID],
    basis_points: int,
    actor_id: uuid.UUID | None,
    seen_at: datetime | None = None,
) -> int:
    """Raise or lower prices, and what options add to them, by ten-thousandths: 500 is 5 % more.

    All or none; returns how many products. With ``seen_at``, when the prices were looked at, the
    same percentage is not added to what another has changed since. Raises ProductMissing,
    ChangedMeanwhile, and Invalid where a price would come to nothing or to more than can be.
    """
    with transaction.atomic():
        products = lock(Product.objects.filter(pk__in=set(product_ids)))
        if len(products) < len(set(product_ids)):
            raise ProductMissing
        changed = [each.name for each in products if seen_at and each.updated_at > seen_at]
        if changed:
            raise ChangedMeanwhile(f"{changed[0]} has changed. Load the list again, then decide.")
        ids = [product.pk for product in products]
        prices = list(ProductPrice.objects.filter(product__in=ids))
        effects = list(PriceEffect.objects.filter(value__option__product__in=ids))
        for row in [*prices, *effects]:
            row.amount = share(row.amount, 10_000 + basis_points)
        if any(not 0 < price.amount <= MAX_AMOUNT for price in prices):
            raise Invalid.field("percent", "A price would come to nothing, or to too much.")
        ProductPrice.objects.bulk_update(prices, ["amount"])
        PriceEffect.objects.bulk_update(effects, ["amount"])
        Product.objects.filter(pk__in=ids).update(updated_at=clock.now())
        refresh_prices(ids)
        if ProductPrice.objects.filter(product__in=ids, from_amount__lte=0).exists():
            raise Invalid.field("percent", "The cheapest configuration would cost nothing.")
        for product in products:
            record(
                "product.prices",
                actor_id=actor_id,
                subject_type="product",
                subject_id=product.pk,
                slug=product.slug,
                basis_points=basis_points,
            )
    return len(products)
