from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from markethall.foundation.accounts.models import User
from markethall.kernel import clock
from markethall.kernel.ids import new_secret
from markethall.kernel.locking import lock, lock_one
from markethall.kernel.retention import delete_before
from markethall.trade.catalog import rules
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.models import Product, ProductStatus
from markethall.trade.catalog.specs import specs_of
from markethall.trade.wishlist.errors import WishlistFull, WishMissing
from markethall.trade.wishlist.models import VisitorWish, WishlistItem, WishlistLink

MAX_ITEMS = 200
MAX_WANTED = 20  # of a visitor


def add(
    *, user: User, product_id: uuid.UUID, configuration: Mapping[str, str], currency: str
) -> tuple[WishlistItem, bool]:
    """Keep a product, as far as it is configured; what is left out stays open. Returns it, and
    whether it is new.

    Raises ProductMissing, ConfigurationInvalid, NotSoldInCurrency, WishlistFull.
    """
    product, chosen, mark = _wish(product_id, configuration, currency)
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


def want(
    *,
    visitor_digest: str,
    product_id: uuid.UUID,
    configuration: Mapping[str, str],
    currency: str,
) -> None:
    """Keep a product for the bearer of a visitor's secret until they sign in; of more than
    ``MAX_WANTED``, the newest.

    Raises ProductMissing, ConfigurationInvalid, NotSoldInCurrency.
    """
    product, chosen, mark = _wish(product_id, configuration, currency)
    wishes = VisitorWish.objects.filter(visitor_digest=visitor_digest)
    with transaction.atomic():
        wishes.get_or_create(
            visitor_digest=visitor_digest,
            product=product,
            mark=mark,
            defaults={"configuration": chosen, "added_at": clock.now()},
        )
        older = wishes.order_by("-pk").values_list("pk", flat=True)[MAX_WANTED:]
        wishes.filter(pk__in=list(older)).delete()


def join(*, user: User, visitor_digest: str) -> None:
    """What the bearer of a visitor's secret wished for joins the list of a user, who has just
    shown to be that bearer, as far as it has room; the secret reaches nothing afterwards."""
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        wanted = list(lock(VisitorWish.objects.filter(visitor_digest=visitor_digest)))
        items = WishlistItem.objects.filter(user=user)
        there = set(items.values_list("product_id", "mark"))
        new = [wish for wish in wanted if (wish.product_id, wish.mark) not in there]
        WishlistItem.objects.bulk_create(
            WishlistItem(
                user=user,
                product_id=wish.product_id,
                mark=wish.mark,
                configuration=wish.configuration,
                added_at=wish.added_at,
            )
            for wish in new[: max(0, MAX_ITEMS - len(there))]
        )
        VisitorWish.objects.filter(pk__in=[wish.pk for wish in wanted]).delete()


def forget_wishes(*, before: datetime) -> int:
    """Delete what visitors wished for before, and never signed in; returns how much."""
    return delete_before(VisitorWish.objects.all(), field="added_at", before=before)


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


def _wish(
    product_id: uuid.UUID, configuration: Mapping[str, str], currency: str
) -> tuple[Product, dict[str, str], str]:
    """The product, with what is chosen of it and the mark of that."""
    product = Product.objects.filter(pk=product_id, status=ProductStatus.ACTIVE).first()
    if product is None:
        raise ProductMissing
    if not configuration:
        return product, {}, ""
    found = rules.outline(specs_of([product.pk])[product.pk], configuration, currency)
    return product, dict(found.chosen), found.mark
