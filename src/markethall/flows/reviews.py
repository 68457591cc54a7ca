"""A review: only by who bought the product, and still has it."""

from __future__ import annotations

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
    bought = OrderLine.objects.filter(
        order__customer_id=user.pk,
        order__status__in=_BOUGHT,
        kind=LineKind.GOODS,
        data__productId=str(product.pk),
    )
    if not bought.exists():
        raise NotBought("Buy it first; a refunded order does not count.")
    return add_review(product=product, user=user, rating=rating, title=title, text=text)
