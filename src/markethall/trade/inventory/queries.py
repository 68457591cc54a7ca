from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Value, When

from markethall.kernel import clock
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
    """What is in stock, with variant and product. ``q`` is the beginning of a SKU or part of the
    product's name; ``show`` is low, out, reserved or uncounted; ``category`` a path."""
    items = StockItem.objects.select_related("variant__product")
    if storefront:
        items = items.filter(variant__product__storefront=storefront)
    if q := q.strip():
        named = Q(variant__product__name__icontains=q) | Q(variant__sku__istartswith=q)
        items = items.filter(named)
    if category:
        path = "variant__product__category__path"
        items = items.filter(Q(**{path: category}) | Q(**{f"{path}__startswith": f"{category}/"}))
    if show == "low":
        return items.filter(low_since__isnull=False)
    if show == "out":
        return items.filter(is_counted=True, on_hand__lte=F("reserved"))
    if show == "reserved":
        return items.filter(reserved__gt=0)
    if show == "uncounted":
        return items.filter(is_counted=False)
    return items


def low_first(items: QuerySet[StockItem]) -> QuerySet[StockItem]:
    """``items`` with how urgent each is: 2 when it is sold out, 1 when low, else 0."""
    counted = Q(is_counted=True)
    urgency = Case(
        When(counted & Q(on_hand__lte=F("reserved")), then=Value(2)),
        When(counted & Q(low_since__isnull=False), then=Value(1)),
        default=Value(0),
    )
    return items.annotate(urgency=urgency)


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
