from __future__ import annotations

from markethall.insight.analytics.models import Glance
from markethall.insight.analytics.rules import HALF_LIFE_DAYS, TREND_DAYS
from markethall.kernel import clock
from markethall.trade.catalog.models import Product, ProductStatus

_TRENDING = """
SELECT p.* FROM catalog_product p JOIN (
    SELECT product_id, sum(views * power(0.5, (%(today)s - day) / %(half)s::float)) AS score
      FROM analytics_viewcount WHERE day > %(today)s - %(days)s GROUP BY product_id
) v ON v.product_id = p.id
 WHERE p.storefront = %(storefront)s AND p.status = 'active'
 ORDER BY v.score DESC, p.id DESC LIMIT %(limit)s
"""


def recently_viewed(viewer: str, *, storefront: str, limit: int = 12) -> list[Product]:
    """What somebody looked at, the latest first; only what can still be seen."""
    glances = Glance.objects.filter(
        viewer=viewer, product__storefront=storefront, product__status=ProductStatus.ACTIVE
    )
    newest = glances.select_related("product").order_by("-at", "-pk")[:limit]
    return [glance.product for glance in newest]


def trending(*, storefront: str, limit: int = 12) -> list[Product]:
    """What is looked at most these days: a view counts half as much every three days."""
    values = {
        "today": clock.now().date(),
        "half": HALF_LIFE_DAYS,
        "days": TREND_DAYS,
        "storefront": storefront,
        "limit": limit,
    }
    return list(Product.objects.raw(_TRENDING, values))
