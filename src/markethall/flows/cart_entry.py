"""Putting something into a cart, from wherever it is offered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import OuterRef, Subquery

from markethall.trade.cart import actions as carts
from markethall.trade.cart.models import Cart
from markethall.trade.cart.queries import cart_of
from markethall.trade.cart.rules import Owner
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product, ProductStatus
from markethall.trade.catalog.storefronts import storefront as storefront_called


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
    found = _product(product, storefront, owner)
    shop = storefront_called(found.storefront)
    chosen = currency if currency in shop.currencies else ""
    if found.cart_currency and chosen and chosen != found.cart_currency:
        cart = cart_of(owner, found.storefront)
        if cart:
            carts.change_currency(cart=cart, currency=chosen)
    return carts.add_line(
        owner=owner,
        product=found,
        configuration=configuration,
        currency=chosen or found.cart_currency or shop.currency,
        quantity=quantity,
    )


def _product(named: uuid.UUID | str, storefront: str, owner: Owner) -> Any:
    """The product, with the currency of the owner's cart at its storefront, if there is one."""
    mine = Cart.objects.filter(storefront=OuterRef("storefront"))
    if owner.user_id:
        mine = mine.filter(user_id=owner.user_id)
    else:
        mine = mine.filter(visitor_digest=owner.visitor_digest)
    products = Product.objects.filter(status=ProductStatus.ACTIVE)
    if storefront:
        products = products.filter(storefront=storefront)
    by = {"pk": named} if isinstance(named, uuid.UUID) else {"slug": named}
    found = products.filter(**by).annotate(cart_currency=Subquery(mine.values("currency")[:1]))
    product = found.defer("description", "details", "search").first()
    if product is None:
        raise ProductMissing
    return product
