"""ELYSIUM's part of the story: shelves, drawers, pictures, and what people have bought,
looked at and asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.interfaces.demo import attention, shop, shoppers, stock


def tell(customers: Mapping[str, User]) -> Iterator[str]:
    """Tell it; yields what has been done. The pictures, which take longest, come last but for the
    orders that show them."""
    alma = _one(Role.ADMIN)
    yield f"{shop.fill_shelves(alma.pk)} pieces of jewellery"
    yield f"{stock.fill_drawers(alma.pk)} sizes and metals in stock"
    shoppers.make_vouchers(alma.pk)
    yield f"{shop.hang_pictures()} pictures hung"
    staff = shoppers.Staff(_one(Role.LOGISTICS), _one(Role.FINANCE))
    for purchase in shoppers.PURCHASES:
        customer = customers.get(purchase.who)
        order = shoppers.buy(purchase, customer)
        shoppers.follow_up(purchase, order, customer, staff)
    shoppers.leave_lying(customers["customer"])
    yield f"{len(shoppers.PURCHASES)} orders of jewellery"
    yield from attention.tell(customers, alma.pk)


def _one(role: Role) -> User:
    """The first of the staff who has a role."""
    return User.objects.filter(role=role).order_by("pk")[:1].get()
