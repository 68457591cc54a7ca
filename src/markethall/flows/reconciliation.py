"""One payment and its gateway: asked, closed, confirmed. ``flows.healing`` goes through all."""

from __future__ import annotations

import uuid
from datetime import timedelta

from markethall.flows.checkout import open_at_gateway
from markethall.flows.settlement import settle_truth
from markethall.foundation.payments.errors import GatewayRefused, PaymentMissing
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import ChargeState, ChargeTruth, NextStep
from markethall.foundation.payments.models import Payment, PaymentStatus
from markethall.kernel import clock
from markethall.trade.orders.models import Order, OrderStatus

ASK_AFTER = timedelta(minutes=10)
CLOSE_AFTER = timedelta(hours=24)
# No page on which a failed payment can be paid by another card is open for longer than a day. What
# failed and cannot be closed is asked about until then, and is over.
END_AFTER = timedelta(days=3)


def ask_about(payment: Payment) -> None:
    """Ask the gateway about a payment that is open. One that was cut off before the customer saw
    a page, or is open for a day, is closed. One that failed is over after ``END_AFTER``, whatever
    the gateway calls it, unless it is being paid: money that comes all the same goes back by
    itself.

    Raises GatewayUnavailable, GatewayRefused, PaymentMissing.
    """
    try:
        state = _ask(payment)
    except (GatewayRefused, PaymentMissing):
        if not _has_failed_for_good(payment):
            raise
        state = ChargeState.FAILED
    if state in {ChargeState.OPEN, ChargeState.FAILED} and _has_failed_for_good(payment):
        over = ChargeTruth(payment.gateway_ref, ChargeState.CLOSED, payment.money)
        settle_truth(payment.pk, over)


def _has_failed_for_good(payment: Payment) -> bool:
    age = clock.now() - payment.created_at
    return payment.status == PaymentStatus.FAILED and age > END_AFTER


def _ask(payment: Payment) -> ChargeState | None:
    age = clock.now() - payment.created_at
    cut_off = payment.status == PaymentStatus.CREATED
    if cut_off and age < ASK_AFTER:
        return None  # it may be opening at this moment
    return look(payment.pk, close=cut_off or age > CLOSE_AFTER)


def verify(payment_id: uuid.UUID) -> tuple[bool, str]:
    """Ask the gateway whether a payment is paid there as it is here; the answer as a sentence.

    Raises GatewayUnavailable, GatewayRefused, PaymentMissing.
    """
    payment = Payment.objects.get(pk=payment_id)
    truth = registry.named(payment.gateway).fetch_payment(payment.gateway_ref)
    if truth.state == ChargeState.SUCCEEDED and truth.money == payment.money:
        if payment.status == PaymentStatus.SUCCEEDED:
            return True, "The gateway confirms the payment, and it is booked."
        return False, "The gateway confirms the payment, but it could not be booked."
    if truth.state == ChargeState.SUCCEEDED:
        return False, (
            f"The gateway was paid {truth.money}, and {payment.money} was asked for. Open the"
            " payment to give it back or to accept it."
        )
    return False, f"The gateway says the payment is {truth.state}, over {truth.money}."


def look(payment_id: uuid.UUID, *, close: bool = False) -> ChargeState:
    """Ask the gateway about one payment, or close it there first, and settle what it says. Returns
    where the gateway says it is.

    Raises GatewayUnavailable, GatewayRefused, PaymentMissing.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.status == PaymentStatus.SUCCEEDED:
        return ChargeState.SUCCEEDED
    if not payment.gateway_ref:
        payment = open_at_gateway(Order.objects.get(pk=payment.reference), payment)
    gateway = registry.named(payment.gateway)
    ask = gateway.close if close else gateway.fetch_payment
    truth = ask(payment.gateway_ref)
    if truth.state != ChargeState.OPEN:
        settle_truth(payment.pk, truth)
    return truth.state


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
