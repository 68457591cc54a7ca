"""Orders that nobody pays end: cancelled, so that they keep no voucher and no pieces.

An order lapses when it waits for money and ``UNPAID_FOR`` has gone by since it was placed and
since its last payment was opened. Its payments are closed at their gateway first: one that is
under way there, or was paid, keeps the order. Money that comes all the same goes back by itself,
as for every cancelled order.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from markethall.flows.checkout import cancel_order
from markethall.flows.reconciliation import CLOSE_AFTER, look
from markethall.foundation.payments.errors import (
    GatewayRefused,
    GatewayUnavailable,
    PaymentMissing,
    UnknownGateway,
)
from markethall.foundation.payments.gateways.base import ChargeState
from markethall.foundation.payments.models import Payment, PaymentStatus
from markethall.foundation.payments.queries import payments_of
from markethall.kernel import clock
from markethall.kernel.locking import lock
from markethall.trade.orders.models import Order, OrderStatus

# Longer than a payment page is open (``checkout.OPEN_FOR``) and than stock is reserved.
UNPAID_FOR = CLOSE_AFTER
UNPAID_REASON = "It was not paid within a day."

_AT_ONCE = 1000
_WAITING = [OrderStatus.PENDING, OrderStatus.PAYMENT_FAILED]
_NOT_OVER = [PaymentStatus.CREATED, PaymentStatus.PENDING, PaymentStatus.FAILED]
_KEEPS = {ChargeState.PROCESSING, ChargeState.SUCCEEDED}

log = structlog.get_logger(__name__)


def lapse() -> int:
    """Cancel the orders that nobody paid; returns how many. A gateway that does not answer leaves
    its orders for the next time. Call it outside a transaction: it calls gateways."""
    before = clock.now() - UNPAID_FOR
    silent: set[str] = set()
    # In no order: some that stay, at a gateway that refuses, never keep the others waiting.
    due = _due(before).order_by("?").values_list("pk", flat=True)[:_AT_ONCE]
    return sum(_may_end(order_id, silent) and _end(order_id, before) for order_id in due)


def _due(before: datetime) -> QuerySet[Order]:
    younger = Payment.objects.filter(reference=OuterRef("pk"), created_at__gt=before)
    return Order.objects.filter(~Exists(younger), status__in=_WAITING, created_at__lte=before)


def _may_end(order_id: uuid.UUID, silent: set[str]) -> bool:
    """Close an order's payments at their gateway; whether none of them can still pay for it.
    ``silent`` collects the gateways that do not answer, which are not asked again."""
    for payment in payments_of(order_id).filter(status__in=_NOT_OVER):
        if payment.gateway in silent:
            return False
        try:
            if look(payment.pk, close=True) in _KEEPS:
                return False
        except GatewayUnavailable:
            silent.add(payment.gateway)
            return False
        except PaymentMissing:
            continue  # the gateway has nothing that could be paid
        except (GatewayRefused, UnknownGateway) as error:
            if payment.gateway_ref:
                log.warning("order not lapsed", order_id=str(order_id), error=error.detail)
                return False
    return True


def _end(order_id: uuid.UUID, before: datetime) -> bool:
    """Cancel an order that is still due, unless somebody pays or cancels it at this moment."""
    with transaction.atomic():
        order = lock(Order.objects.filter(pk=order_id))[0]
        if not _due(before).filter(pk=order_id).exists():
            # Closing its last payment has cancelled it, or somebody tries again to pay.
            return order.status == OrderStatus.CANCELLED
        cancel_order(order_id=order_id, actor_id=None, note=UNPAID_REASON)
    return True
