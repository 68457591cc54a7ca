"""Writes to carts. Each locks the cart and is its own transaction, or part of the caller's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from markethall.kernel import clock
from markethall.kernel.ids import new_id
from markethall.kernel.locking import lock
from markethall.kernel.retention import delete_before
from markethall.trade.cart import rules, statements
from markethall.trade.cart.errors import CartFull, CartLineMissing, VariantMissing
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.cart.rules import LeftOut, Owner
from markethall.trade.catalog.errors import ConfigurationInvalid, NotSoldInCurrency
from markethall.trade.catalog.models import Product, ProductStatus, Variant
from markethall.trade.catalog.rules import configure
from markethall.trade.catalog.specs import specs_of
from markethall.trade.vouchers.rules import clean_code


def add_line(
    *,
    owner: Owner,
    product: Product,
    configuration: Mapping[str, str],
    currency: str,
    quantity: int = 1,
) -> Cart:
    """Put pieces of a product, as it was chosen, into somebody's cart at its storefront; returns
    the cart. The same chosen again adds up, to ``MAX_QUANTITY`` at most.

    ``currency`` is the cart's, or that of one which is made now. Raises Invalid,
    ConfigurationInvalid, NotSoldInCurrency, VariantMissing, CartFull.
    """
    rules.check_quantity(quantity)
    configured = configure(specs_of([product.pk])[product.pk], configuration, currency)
    whose = "user" if owner.user_id else "visitor"
    added = Cart.objects.raw(
        statements.ADD[whose],
        {
            "cart": new_id(),
            "line": new_id(),
            "storefront": product.storefront,
            "user": owner.user_id,
            "visitor": None if owner.user_id else owner.visitor_digest,
            "currency": currency,
            "product": product.pk,
            "key": configured.variant_key,
            "configuration": json.dumps(configured.chosen),
            "mark": configured.mark,
            "quantity": quantity,
            "most": rules.MAX_QUANTITY,
            "lines": rules.MAX_LINES,
            "seen": configured.price.amount,
            "now": clock.now(),
        },
    )
    with transaction.atomic():
        (cart,) = added
        if cart.line_id is None:
            _refuse(product, configured.variant_key)
        # Others may have added while this waited for the cart's lock. Far from the end that is no
        # reason to count anew: not so many wait at once.
        is_near = cart.lines_before > rules.MAX_LINES // 2
        if is_near and CartLine.objects.filter(cart=cart).count() > rules.MAX_LINES:
            raise _full()
    return cart


def set_quantity(*, cart: Cart, line_id: uuid.UUID, quantity: int) -> None:
    """Have so many pieces of a line; none removes it. Raises Invalid, CartLineMissing."""
    rules.check_quantity(quantity, least=0)
    with transaction.atomic():
        touch(cart)
        line = CartLine.objects.filter(cart=cart, pk=line_id)
        found = line.update(quantity=quantity) if quantity else line.delete()[0]
        if not found:
            raise CartLineMissing


def choose_anew(
    *,
    cart: Cart,
    line_id: uuid.UUID,
    configuration: Mapping[str, str],
    quantity: int | None = None,
) -> None:
    """Have the pieces of a line made otherwise, and so many of them. Where the cart has a line like
    that already, they join it, up to ``MAX_QUANTITY`` together.

    Raises Invalid, CartLineMissing, ConfigurationInvalid, NotSoldInCurrency, VariantMissing.
    """
    if quantity is not None:
        rules.check_quantity(quantity)
    with transaction.atomic():
        touch(cart)
        lines = CartLine.objects.filter(cart=cart)
        lock(lines)
        line = lines.select_related("variant__product").filter(pk=line_id).first()
        if line is None:
            raise CartLineMissing
        product = line.variant.product
        made = configure(specs_of([product.pk])[product.pk], configuration, cart.currency)
        variant = _sold(product, made.variant_key).first()
        if variant is None:
            raise VariantMissing
        line.quantity = quantity or line.quantity
        same = lines.filter(variant=variant, mark=made.mark).exclude(pk=line.pk).first()
        if same is not None:
            line.quantity = min(rules.MAX_QUANTITY, line.quantity + same.quantity)
            same.delete()
        line.variant, line.configuration, line.mark = variant, dict(made.chosen), made.mark
        line.seen_amount = made.price.amount
        line.save()


def clear(cart: Cart) -> None:
    """Take everything out of a cart, its voucher too."""
    with transaction.atomic():
        touch(cart)
        lock(CartLine.objects.filter(cart=cart))
        CartLine.objects.filter(cart=cart).delete()
        Cart.objects.filter(pk=cart.pk).update(voucher="")


def set_voucher(*, cart: Cart, code: str) -> None:
    """Note a code in a cart, or none. Whether it can be used, the quote says."""
    with transaction.atomic():
        touch(cart)
        cart.voucher = clean_code(code)
        cart.save(update_fields=["voucher"])


def change_currency(*, cart: Cart, currency: str) -> None:
    """Have a cart in another currency, at the prices of now in it."""
    if cart.currency == currency:
        return
    with transaction.atomic():
        touch(cart)
        cart.currency = currency
        cart.save(update_fields=["currency"])
        see_prices(cart=cart, seen=_prices(cart, currency))


def see_prices(*, cart: Cart, seen: Mapping[uuid.UUID, int]) -> None:
    """The owner of a cart has seen these prices of its lines, minor units each; 0 for none."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock(CartLine.objects.filter(cart=cart))
        cursor.execute(statements.SEEN, [list(seen), list(seen.values()), cart.pk])


def touch(cart: Cart) -> None:
    """Lock a cart that is being changed. Raises CartLineMissing when it is gone."""
    now = clock.now()
    if not Cart.objects.filter(pk=cart.pk).update(updated_at=now):
        raise CartLineMissing("This cart is gone; it may have joined that of your account.")
    cart.updated_at = now


def join(*, user_id: uuid.UUID, visitor_digest: str) -> list[LeftOut]:
    """What the bearer of a visitor's secret has put into carts joins the carts of a user, who has
    just shown to be that bearer. Quantities add up, to ``MAX_QUANTITY`` at most; the secret
    reaches nothing afterwards. A cart keeps the ``MAX_LINES`` that were put in last; returns what
    there was no room for."""
    with transaction.atomic():
        carts = lock(Cart.objects.filter(visitor_digest=visitor_digest))
        return [left for cart in carts for left in _join(cart, user_id)]


def forget_visitors(*, before: datetime) -> int:
    """Delete the carts that visitors have not touched since; returns how many."""
    return delete_before(Cart.objects.filter(user=None), field="updated_at", before=before)


def _join(cart: Cart, user_id: uuid.UUID) -> list[LeftOut]:
    values = {"cart": cart.pk, "user": user_id, "most": rules.MAX_QUANTITY, "now": clock.now()}
    with connection.cursor() as cursor:
        cursor.execute(statements.CART_OF_USER, {**values, "id": new_id()})
        own = {"cart__user": user_id, "cart__storefront": cart.storefront}
        lock(CartLine.objects.filter(Q(cart=cart) | Q(**own)))
        cursor.execute(statements.JOIN_LINES, values)
        cursor.execute(statements.JOIN_ORDERS, values)
    cart.delete()
    lines = CartLine.objects.filter(**own).order_by("-added_at", "-pk")
    over = list(lines.select_related("cart", "variant")[rules.MAX_LINES :])
    CartLine.objects.filter(pk__in=[line.pk for line in over]).delete()
    return [
        LeftOut(line.variant.product_id, line.configuration, line.cart.currency) for line in over
    ]


def _prices(cart: Cart, currency: str) -> dict[uuid.UUID, int]:
    lines = list(CartLine.objects.filter(cart=cart).select_related("variant"))
    specs = specs_of(line.variant.product_id for line in lines)
    prices = {}
    for line in lines:
        spec = specs[line.variant.product_id]
        try:
            prices[line.pk] = configure(spec, line.configuration, currency).price.amount
        except (ConfigurationInvalid, NotSoldInCurrency):
            prices[line.pk] = 0
    return prices


def _sold(product: Product, key: str) -> QuerySet[Variant]:
    """The variant of this key, if it can be bought now."""
    return Variant.objects.filter(
        product=product, key=key, is_active=True, product__status=ProductStatus.ACTIVE
    )


def _refuse(product: Product, variant_key: str) -> None:
    """Say why nothing was added: no such variant, unless the cart is full."""
    if not _sold(product, variant_key).exists():
        raise VariantMissing
    raise _full()


def _full() -> CartFull:
    return CartFull(f"A cart has {rules.MAX_LINES} lines at most. Take something out first.")
