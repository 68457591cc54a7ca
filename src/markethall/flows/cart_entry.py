"""Putting something into a cart, from wherever it is offered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.db import connection

from markethall.trade.cart import actions as carts
from markethall.trade.cart.models import Cart
from markethall.trade.cart.queries import cart_of
from markethall.trade.cart.rules import Owner
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product
from markethall.trade.catalog.revision import REVISION, as_of
from markethall.trade.catalog.storefronts import storefront as storefront_called

_PRODUCT = f"""
SELECT p.id, p.storefront, c.currency, {REVISION}
  FROM catalog_product p
  LEFT JOIN cart_cart c ON c.storefront = p.storefront AND c.{{whose}} = %s
 WHERE p.status = 'active' AND p.{{named}} = %s AND (%s = '' OR p.storefront = %s)
 ORDER BY p.id LIMIT 1
"""  # noqa: S608, no value of anybody's


def put_in(
    *,
    owner: Owner,
    product: uuid.UUID | str,
    configuration: Mapping[str, str],
    quantity: int = 1,
    storefront: str = "",
    currency: str = "",
) -> Cart:
    """Put pieces of a product, by its id or slug, into the owner's cart at its storefront.

    ``currency`` is one that the owner chose, and has the cart in it from now on; without, the
    cart's own holds, or the storefront's default. Raises ProductMissing and what ``add_line``
    raises.
    """
    found, cart_currency, revision = _product(product, storefront, owner)
    shop = storefront_called(found.storefront)
    chosen = currency if currency in shop.currencies else ""
    if cart_currency and chosen and chosen != cart_currency:
        cart = cart_of(owner, found.storefront)
        if cart:
            carts.change_currency(cart=cart, currency=chosen)
    with as_of(revision):
        return carts.add_line(
            owner=owner,
            product=found,
            configuration=configuration,
            currency=chosen or cart_currency or shop.currency,
            quantity=quantity,
        )


def _product(
    named: uuid.UUID | str, storefront: str, owner: Owner
) -> tuple[Product, str | None, str]:
    """The product, the currency of the owner's cart at its storefront, if there is one, and the
    catalogue's revision; one statement."""
    wanted = _PRODUCT.format(
        named="id" if isinstance(named, uuid.UUID) else "slug",
        whose="user_id" if owner.user_id else "visitor_digest",
    )
    values = [owner.user_id or owner.visitor_digest, named, storefront, storefront]
    with connection.cursor() as cursor:
        cursor.execute(wanted, values)
        row = cursor.fetchone()
    if row is None:
        raise ProductMissing
    return Product(pk=row[0], storefront=row[1]), row[2], row[3]
