"""ELYSIUM's part of the story: shelves, drawers, pictures, and what people have bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.interfaces.demo import shop, shoppers, stock


def tell(customers: Mapping[str, User]) -> Iterator[str]:
    """Tell it; yields what has been done. The pictures, which take longest, come last but for the
    orders that show them."""
    alma = User.objects.filter(role=Role.ADMIN).order_by("pk").first()
    if alma is None:
        return
    yield f"{shop.fill_shelves(alma.pk)} pieces of jewellery"
    yield f"{stock.fill_drawers(alma.pk)} sizes and metals in stock"
    shoppers.make_vouchers(alma.pk)
    yield f"{shop.hang_pictures()} pictures hung"
    for purchase in shoppers.PURCHASES:
        shoppers.buy(purchase, customers.get(purchase.who))
    shoppers.leave_lying(customers["customer"])
    yield f"{len(shoppers.PURCHASES)} orders of jewellery"
