from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import QuerySet

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may
from markethall.kernel.pagination import made_between
from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import Shipment, ShipmentStatus


def orders_for(caller: User) -> QuerySet[Order]:
    """The orders that ``caller`` may see: all for staff who read orders, else their own."""
    if may(caller, Permission.ORDERS_READ):
        return Order.objects.all()
    return orders_of(caller.pk)


def orders_of(customer_id: uuid.UUID) -> QuerySet[Order]:
    """A customer's own orders."""
    return Order.objects.filter(customer_id=customer_id)


def order_for(caller: User, order_id: uuid.UUID) -> Order:
    """One order that ``caller`` may see; raises OrderMissing, for other people's too."""
    order = orders_for(caller).prefetch_related("lines").filter(pk=order_id).first()
    if order is None:
        raise OrderMissing
    return order


def filtered(
    orders: QuerySet[Order],
    *,
    status: str = "",
    storefront: str = "",
    q: str = "",
    need: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Order]:
    """Orders that match every given filter; ``q`` is a number or the beginning of an e-mail,
    ``until`` is excluded. ``need`` is ``to_pack`` (paid, and not all of it in parcels) or
    ``to_ship`` (a parcel has not left)."""
    if status:
        orders = orders.filter(status=status.upper())
    if storefront:
        orders = orders.filter(storefront=storefront)
    if need == "to_pack":
        orders = orders.filter(status=OrderStatus.PAID)
    elif need == "to_ship":
        packed = Shipment.objects.filter(status=ShipmentStatus.PACKED)
        orders = orders.filter(pk__in=packed.values("reference"))
    if q and "@" in q:
        orders = orders.filter(email__startswith=q.strip().lower())
    elif q:
        orders = orders.filter(number=q.strip().upper())
    if since:
        orders = orders.filter(created_at__gte=since)
    if until:
        orders = orders.filter(created_at__lt=until)
    if since or until:
        orders = orders.filter(made_between(since, until))
    return orders
