from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.db import transaction

from markethall.foundation.accounts.models import User
from markethall.kernel import clock
from markethall.kernel.ids import new_secret
from markethall.kernel.locking import lock_one
from markethall.trade.catalog import rules
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product, ProductStatus
from markethall.trade.catalog.specs import specs_of
from markethall.trade.wishlist.errors import WishlistFull, WishMissing
from markethall.trade.wishlist.models import WishlistItem, WishlistLink

MAX_ITEMS = 200


def add(
    *, user: User, product_id: uuid.UUID, configuration: Mapping[str, str], currency: str
) -> tuple[WishlistItem, bool]:
    """Keep a product, as far as it is configured; what is left out stays open. Returns it, and
    whether it is new.

    Raises ProductMissing, ConfigurationInvalid, NotSoldInCurrency, WishlistFull.
    """
    product = Product.objects.filter(pk=product_id, status=ProductStatus.ACTIVE).first()
    if product is None:
        raise ProductMissing
    chosen, mark = {}, ""
    if configuration:
        found = rules.outline(specs_of([product.pk])[product.pk], configuration, currency)
        chosen, mark = dict(found.chosen), found.mark
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        items = WishlistItem.objects.filter(user=user)
        if found := items.filter(product=product, mark=mark).first():
            return found, False
        if items.count() >= MAX_ITEMS:
            raise WishlistFull(f"A wishlist keeps {MAX_ITEMS} pieces. Remove one first.")
        item = WishlistItem.objects.create(
            user=user, product=product, mark=mark, configuration=chosen, added_at=clock.now()
        )
        return item, True


def turn(
    *, user: User, product_id: uuid.UUID, configuration: Mapping[str, str], currency: str
) -> bool:
    """Keep a product as configured, or let just that wish go; whether it is kept now.

    Raises what ``add`` raises.
    """
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        item, is_new = add(
            user=user, product_id=product_id, configuration=configuration, currency=currency
        )
        if not is_new:
            item.delete()
    return is_new


def remove(*, user: User, item_id: uuid.UUID) -> None:
    """Take one wish off one's own list. Raises WishMissing."""
    if not WishlistItem.objects.filter(user=user, pk=item_id).delete()[0]:
        raise WishMissing


def remove_product(*, user: User, product_id: uuid.UUID) -> None:
    """Take every wish for a product off one's own list. Raises WishMissing."""
    if not WishlistItem.objects.filter(user=user, product_id=product_id).delete()[0]:
        raise WishMissing


def clear(*, user: User) -> None:
    """Empty one's own list."""
    WishlistItem.objects.filter(user=user).delete()


def share(user: User) -> str:
    """The secret of the list's link; the same one while the list is shared."""
    link, _ = WishlistLink.objects.get_or_create(
        user=user, defaults={"token": new_secret(), "made_at": clock.now()}
    )
    return link.token


def unshare(user: User) -> None:
    """End the link for good: a list shared anew gets another."""
    WishlistLink.objects.filter(user=user).delete()
