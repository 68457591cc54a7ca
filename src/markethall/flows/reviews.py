"""A review: only by who bought the product, and still has it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from markethall.foundation.accounts.models import User
from markethall.trade.catalog.actions.reviews import add_review
from markethall.trade.catalog.errors import NotBought
from markethall.trade.catalog.models import LineKind, Product, Review
from markethall.trade.orders.models import OrderLine, OrderStatus

_BOUGHT = (OrderStatus.PAID, OrderStatus.FULFILLED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def review_product(
    *, product: Product, user: User, rating: int, title: str = "", text: str = ""
) -> Review:
    """Review what one has bought. Raises NotBought and AlreadyReviewed."""
    if not _has_bought(user.pk, product.pk):
        raise NotBought("Buy it first; a refunded order does not count.")
    return add_review(product=product, user=user, rating=rating, title=title, text=text)


def may_review(*, product_id: UUID, user_id: UUID) -> bool:
    """Whether somebody has bought a product, and has not reviewed it yet."""
    return _has_bought(user_id, product_id) and not reviewed([product_id], user_id=user_id)


def reviewed(product_ids: Iterable[UUID], *, user_id: UUID) -> set[UUID]:
    """Which of these products somebody has reviewed."""
    found = Review.objects.filter(product__in=product_ids, user=user_id)
    return set(found.values_list("product_id", flat=True))


def _has_bought(user_id: UUID, product_id: UUID) -> bool:
    return OrderLine.objects.filter(
        order__customer_id=user_id,
        order__status__in=_BOUGHT,
        kind=LineKind.GOODS,
        data__productId=str(product_id),
    ).exists()
