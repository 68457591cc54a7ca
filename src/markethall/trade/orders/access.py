"""The signed link that lets whoever holds it see an order, as a guest's mails have it.

It does not expire; erasing the buyer ends it.
"""

from __future__ import annotations

import base64
import binascii
import uuid

from django.conf import settings
from django.core import signing

from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.models import Order

_PARTED_BY = "."
_NO_LINK = "Open the link of our mail once more: it may have been cut short."


def order_link(order: Order) -> str:
    """Where the buyer sees an order: a guest by a signed link, others signed in."""
    return f"{settings.SITE_URL}/orders/{order.pk}" if order.customer_id else guest_link(order)


def guest_link(order: Order) -> str:
    """The signed link to an order's page."""
    return f"{settings.SITE_URL}/orders/track/{token_of(order)}"


def token_of(order: Order) -> str:
    """The signed part of the link, which is a secret."""
    key = base64.urlsafe_b64encode(order.pk.bytes).decode().rstrip("=")
    return _signer().sign(key)


def order_of(token: str) -> Order:
    """The order that a link shows; raises OrderMissing. Signatures are compared in constant
    time."""
    try:
        key = _signer().unsign(token)
        order_id = uuid.UUID(bytes=base64.urlsafe_b64decode(f"{key}=="))
    except (signing.BadSignature, binascii.Error, ValueError) as error:
        raise OrderMissing(_NO_LINK) from error
    order = Order.objects.filter(pk=order_id, erased_at=None).prefetch_related("lines").first()
    if order is None:
        raise OrderMissing(_NO_LINK)
    return order


def _signer() -> signing.Signer:
    return signing.Signer(salt="markethall.orders.track", sep=_PARTED_BY)
