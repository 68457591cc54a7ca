from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.cart.rules import Owner
from markethall.trade.catalog.revision import REVISION
from markethall.trade.catalog.rules import pictures_of

_LINES = f"""
SELECT {REVISION},
       l.id, l.variant_id, l.configuration, l.mark, l.quantity, l.seen_amount, v.sku, v.key,
       v.is_active AND p.status = 'active', p.id, p.slug, p.name, p.tax_category, p.weight_grams,
       (SELECT COALESCE(jsonb_agg(jsonb_build_array(i.id, i.shows) ORDER BY i.position, i.id), '[]')
          FROM catalog_productimage i WHERE i.product_id = p.id)
  FROM cart_cartline l
  JOIN catalog_variant v ON v.id = l.variant_id
  JOIN catalog_product p ON p.id = v.product_id
 WHERE l.cart_id = %s
 ORDER BY l.added_at, l.id
"""  # noqa: S608, no value of anybody's
_CARTS = """
SELECT * FROM cart_cart WHERE {whose} AND (%(storefront)s = '' OR storefront = %(storefront)s)
 ORDER BY updated_at DESC LIMIT 1
"""


class ItemImage(NamedTuple):
    id: str
    shows: Sequence[str]


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line of a cart with what the catalogue says of it. ``is_sold`` when its product and
    variant can be bought now; ``images`` are ids with the option values they show."""

    id: uuid.UUID
    variant_id: uuid.UUID
    configuration: Mapping[str, str]
    mark: str
    quantity: int
    seen_amount: int
    sku: str
    variant_key: str
    is_sold: bool
    product_id: uuid.UUID
    slug: str
    name: str
    tax_category: str
    weight_grams: int
    images: Sequence[ItemImage]

    def image_id(self, chosen: Mapping[str, str]) -> str | None:
        """The picture that suits best what was chosen."""
        return next((image.id for image in pictures_of(self.images, chosen)), None)


def cart_of(owner: Owner, storefront: str = "") -> Cart | None:
    """Somebody's cart at a storefront; without one, the cart they touched last."""
    whose = "user_id = %(user)s" if owner.user_id else "visitor_digest = %(visitor)s"
    values = {
        "user": owner.user_id,
        "visitor": owner.visitor_digest,
        "storefront": storefront,
    }
    for cart in Cart.objects.raw(_CARTS.format(whose=whose), values):
        return cart
    return None


def line_of(owner: Owner, line_id: uuid.UUID) -> CartLine | None:
    """A line of somebody's own carts, with its variant."""
    lines = CartLine.objects.select_related("variant").filter(pk=line_id)
    if owner.user_id:
        return lines.filter(cart__user_id=owner.user_id).first()
    return lines.filter(cart__visitor_digest=owner.visitor_digest).first()


def items_of(cart_id: uuid.UUID) -> tuple[list[CartItem], str]:
    """What is in a cart, in the order it was put in, and the catalogue's revision then: empty of an
    empty cart. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [cart_id])
        rows = cursor.fetchall()
    items = [CartItem(*row[1:3], _json(row[3]), *row[4:15], _images(row[15])) for row in rows]
    return items, rows[0][0] if rows else ""


def count_of(owner: Owner, storefront: str) -> int:
    """How many pieces are in somebody's cart; one statement."""
    mine = "c.user_id = %s" if owner.user_id else "c.visitor_digest = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(sum(l.quantity), 0) FROM cart_cart c"  # noqa: S608, one of two texts
            f" JOIN cart_cartline l ON l.cart_id = c.id WHERE c.storefront = %s AND {mine}",
            [storefront, owner.user_id or owner.visitor_digest],
        )
        return int(cursor.fetchone()[0])


def _images(value: Any) -> list[ItemImage]:
    return [ItemImage(*each) for each in _json(value)]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
