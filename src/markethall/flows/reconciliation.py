"""Heals what webhooks did not tell: asks the gateway about payments that have no end yet."""

from __future__ import annotations

import uuid
from datetime import timedelta

import structlog

from markethall.flows.checkout import open_at_gateway
from markethall.flows.settlement import settle_truth
from markethall.foundation.payments.errors import GatewayRefused, GatewayUnavailable
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import ChargeState, NextStep
from markethall.foundation.payments.models import Payment, PaymentStatus
from markethall.foundation.payments.queries import unsettled
from markethall.kernel import clock
from markethall.trade.orders.models import Order, OrderStatus

ASK_AFTER = timedelta(minutes=10)
CLOSE_AFTER = timedelta(hours=24)
_AT_ONCE = 500

log = structlog.get_logger(__name__)


def reconcile() -> int:
    """Ask the gateway about every payment that is open for long; returns how many were asked.

    One that was cut off before the customer saw a page, or is open for a day, is closed.
    """
    asked = 0
    for payment in unsettled(clock.now() - ASK_AFTER).order_by("pk")[:_AT_ONCE]:
        cut_off = payment.status == PaymentStatus.CREATED
        is_old = payment.created_at < clock.now() - CLOSE_AFTER
        try:
            look(payment.pk, close=cut_off or is_old)
        except (GatewayUnavailable, GatewayRefused) as error:
            log.warning("payment not reconciled", payment=str(payment.pk), error=error.detail)
        asked += 1
    return asked


def look(payment_id: uuid.UUID, *, close: bool = False) -> None:
    """Ask the gateway about one payment, or close it there first, and settle what it says."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.status == PaymentStatus.SUCCEEDED:
        return
    if not payment.gateway_ref:
        payment = open_at_gateway(Order.objects.get(pk=payment.reference), payment)
    gateway = registry.named(payment.gateway)
    ask = gateway.close if close else gateway.fetch_payment
    truth = ask(payment.gateway_ref)
    if truth.state != ChargeState.OPEN:
        settle_truth(payment.pk, truth)


def confirm(
    payment: Payment, payment_method: str, *, return_url: str = ""
) -> tuple[Payment, NextStep | None]:
    """Charge an intent to a payment method, and settle the gateway's answer at once. Returns what
    the customer has to do before it goes on, if anything.

    Raises GatewayUnavailable, GatewayRefused.
    """
    truth = registry.named(payment.gateway).confirm_intent(
        payment.gateway_ref, payment_method, return_url=return_url
    )
    if truth.state != ChargeState.OPEN:
        settle_truth(payment.pk, truth)
    return Payment.objects.get(pk=payment.pk), truth.next_step


def is_waiting(order: Order) -> bool:
    """Whether an order's payment has not ended yet, for pages that show it live."""
    return order.status in {OrderStatus.PENDING, OrderStatus.PROCESSING}
