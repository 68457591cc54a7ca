"""What lies in ELYSIUM's drawers: most sizes, some down to the last piece, some sold out."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID
from zlib import crc32

from markethall.interfaces.demo.shop import STOREFRONT
from markethall.trade.catalog.models import Variant
from markethall.trade.inventory.actions import change_item, receive_list
from markethall.trade.inventory.models import StockItem, StockMove

MADE_TO_ORDER = {"nyx"}
SOLD_OUT = {"galene": "rose-gold", "persephone": "white-gold"}
_LOW_AT = 2


def fill_drawers(actor_id: UUID) -> int:
    """Receive the pieces of every product that never had any; returns of how many variants."""
    had = set(StockMove.objects.values_list("item__variant__product_id", flat=True))
    made = set(StockItem.objects.filter(is_counted=False).values_list("pk", flat=True))
    found = Variant.objects.filter(product__storefront=STOREFRONT, is_active=True)
    lists: dict[UUID, list[str]] = defaultdict(list)
    for variant in found.select_related("product").order_by("sku"):
        if variant.product_id in had:
            continue
        if variant.product.slug in MADE_TO_ORDER:
            if variant.pk not in made:
                change_item(variant_id=variant.pk, is_counted=False, actor_id=actor_id)
        elif pieces := _pieces(variant):
            lists[variant.product_id].append(f"{variant.sku};{pieces}")
            if pieces <= _LOW_AT:
                change_item(variant_id=variant.pk, low_at=_LOW_AT, actor_id=actor_id)
    for rows in lists.values():
        receive_list(text="\n".join(rows), note="From the workshop", actor_id=actor_id)
    return sum(len(rows) for rows in lists.values())


def _pieces(variant: Variant) -> int:
    """How many there are: the same each time, and plenty of the sizes that most people wear."""
    gone = SOLD_OUT.get(variant.product.slug)
    if gone and f"={gone}" in variant.key:
        return 0
    worn = ("=52", "=54", "=56", "=58")
    if "ring-size" not in variant.key or any(size in variant.key for size in worn):
        return 4 + crc32(variant.sku.encode()) % 6
    return crc32(variant.sku.encode()) % 5
