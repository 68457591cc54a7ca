"""Somebody has signed in: what they did as a visitor before is theirs."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from markethall.foundation.accounts.models import User
from markethall.insight.analytics import actions as glances
from markethall.insight.analytics.rules import viewer_of
from markethall.trade.cart import actions as carts
from markethall.trade.wishlist import actions as wishes

Join = Callable[[User, str], None]


def arrive(user: User, visitor_digest: str) -> None:
    """Give ``user`` what hangs on the visitor whose secret has this digest. Afterwards nothing
    does; whoever calls renews the secret. Can run twice."""
    with transaction.atomic():
        for join in JOINS:
            join(user, visitor_digest)


def _join_carts(user: User, visitor_digest: str) -> None:
    carts.join(user_id=user.pk, visitor_digest=visitor_digest)


def _join_glances(user: User, visitor_digest: str) -> None:
    glances.join(visitor=viewer_of(None, visitor_digest), user=viewer_of(user.pk, None))


def _join_wishes(user: User, visitor_digest: str) -> None:
    wishes.join(user=user, visitor_digest=visitor_digest)


JOINS: tuple[Join, ...] = (_join_carts, _join_glances, _join_wishes)
