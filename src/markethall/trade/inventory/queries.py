from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from markethall.kernel import clock
from markethall.trade.catalog.models import Product, Variant
from markethall.trade.catalog.queries import RANKED, ids_named
from markethall.trade.inventory import statements
from markethall.trade.inventory.errors import StockItemMissing
from markethall.trade.inventory.models import StockItem, StockMove


@dataclass(frozen=True, slots=True)
class Availability:
    """How many pieces can be had now. Of what is not counted, any number can."""

    is_counted: bool
    available: int

    def has(self, pieces: int) -> bool:
        return not self.is_counted or self.available >= pieces


NONE = Availability(is_counted=True, available=0)


def availability_of(
    variant_ids: Iterable[uuid.UUID], *, reference: uuid.UUID | None = None
) -> dict[uuid.UUID, Availability]:
    """What can be had of each variant, by one statement; with ``reference``, by the order that it
    names, whose own reservations stand in nobody's way. Lapsed ones stand in nobody's."""
    ids = list(set(variant_ids))
    with connection.cursor() as cursor:
        values = {"items": ids, "now": clock.now(), "reference": reference}
        cursor.execute(statements.AVAILABLE, values)
        found = {
            variant_id: Availability(is_counted, max(0, int(available)))
            for variant_id, is_counted, available in cursor.fetchall()
        }
    return {variant_id: found.get(variant_id, NONE) for variant_id in ids}


def reserved_until() -> datetime:
    """When a reservation made now lapses."""
    return clock.now() + timedelta(minutes=settings.ENVIRONMENT.reservation_minutes)


def stock_items(
    *, storefront: str = "", q: str = "", show: str = "", category: str = ""
) -> QuerySet[StockItem]:
    """What is in stock, with variant and product. ``q`` is the beginning of a SKU, or
    words of the product; ``show`` is low, out, reserved or uncounted; ``category`` a path."""
    items = StockItem.objects.select_related("variant__product")
    if storefront:
        items = items.filter(variant__product__storefront=storefront)
    if q := q.strip():
        products = Product.objects.all()
        if storefront:
            products = products.filter(storefront=storefront)
        begun = Variant.objects.filter(sku__startswith=q.upper()).order_by("-pk")
        of_them = Variant.objects.filter(product__in=ids_named(products, q))
        found = begun.values("pk")[:RANKED].union(of_them.values("pk"))
        items = items.filter(pk__in=[pk for (pk,) in found.values_list("pk")])
    if category:
        path = "variant__product__category__path"
        items = items.filter(Q(**{path: category}) | Q(**{f"{path}__startswith": f"{category}/"}))
    if show == "low":
        return items.filter(low_since__isnull=False)
    if show == "out":
        return items.filter(urgency=2)
    if show == "reserved":
        return items.filter(reserved__gt=0)
    if show == "uncounted":
        return items.filter(is_counted=False)
    return items


def low_items() -> QuerySet[StockItem]:
    """What is time to order."""
    return StockItem.objects.filter(low_since__isnull=False)


def stock_item(variant_id: uuid.UUID) -> StockItem:
    """One variant's stock, with variant and product; raises StockItemMissing."""
    item = StockItem.objects.select_related("variant__product").filter(pk=variant_id).first()
    if item is None:
        raise StockItemMissing
    return item


def moves_of(variant_id: uuid.UUID) -> QuerySet[StockMove]:
    """How a variant's level came to be."""
    return StockMove.objects.filter(item_id=variant_id)
