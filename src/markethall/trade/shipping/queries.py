from __future__ import annotations

from django.db import connection
from django.db.models import F, Prefetch, QuerySet

from markethall.trade.catalog.revision import kept
from markethall.trade.shipping.models import ShippingMethod, ShippingPrice
from markethall.trade.shipping.rules import Method, Step

_METHODS = """
SELECT m.code, m.name, m.description, m.kind, m.countries, m.days_min, m.days_max,
       m.tax_category, p.amount, p.up_to_grams, p.free_from
  FROM shipping_shippingmethod m
  JOIN shipping_shippingprice p ON p.method_id = m.id AND p.currency = %s
 WHERE m.storefront = %s AND m.is_active
 ORDER BY m.position, m.id, p.up_to_grams NULLS LAST
"""


@kept
def methods_priced_in(storefront: str, currency: str) -> list[Method]:
    """The methods of a storefront that have a price in a currency, in the order they are shown;
    one statement, which asks no more than whether anything has changed when nothing has."""
    found: dict[str, tuple[tuple[object, ...], list[Step]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_METHODS, [currency, storefront])
        for *head, amount, up_to_grams, free_from in cursor.fetchall():
            _, steps = found.setdefault(head[0], (tuple(head), []))
            steps.append(Step(amount, up_to_grams, free_from))
    return [Method(*head, steps) for head, steps in found.values()]  # type: ignore[arg-type]


def methods(storefront: str = "") -> QuerySet[ShippingMethod]:
    """All methods, of one storefront or any, with their prices, in the order they are shown."""
    prices = ShippingPrice.objects.order_by("currency", F("up_to_grams").asc(nulls_last=True))
    found = ShippingMethod.objects.order_by("storefront", "position", "pk").prefetch_related(
        Prefetch("prices", prices)
    )
    return found.filter(storefront=storefront) if storefront else found
