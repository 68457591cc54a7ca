"""Somebody has signed in: what they did as a visitor before is theirs."""

from __future__ import annotations

from django.db import transaction

from markethall.foundation.accounts.models import User
from markethall.insight.analytics import actions as glances
from markethall.insight.analytics.rules import viewer_of
from markethall.kernel.errors import Problem
from markethall.trade.cart import actions as carts
from markethall.trade.cart.rules import LeftOut
from markethall.trade.wishlist import actions as wishes


def arrive(user: User, visitor_digest: str) -> int:
    """Give ``user`` what hangs on the visitor whose secret has this digest. Afterwards nothing
    does; whoever calls renews the secret. Can run twice.

    Returns how many lines a cart had no room for: they are on the wishlist, as far as that has.
    """
    with transaction.atomic():
        left_out = carts.join(user_id=user.pk, visitor_digest=visitor_digest)
        glances.join(visitor=viewer_of(None, visitor_digest), user=viewer_of(user.pk, None))
        wishes.join(user=user, visitor_digest=visitor_digest)
        return sum(_keep(user, line) for line in left_out)


def _keep(user: User, line: LeftOut) -> bool:
    """Put it on the wishlist, unless it is sold no more or the list is full."""
    try:
        wishes.add(
            user=user,
            product_id=line.product_id,
            configuration=line.configuration,
            currency=line.currency,
        )
    except Problem:
        return False
    return True
