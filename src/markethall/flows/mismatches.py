"""Money that came in another amount or currency than was asked for. It pays for nothing until a
person decides: either all of it goes back, or, where it covers the order, the order is paid with
it and what is too much goes back.

The gateway is asked once more before either, so an event that claimed another amount than the
gateway knows is settled by accepting what is true.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from markethall.flows import refunds, settlement
from markethall.foundation.audit.actions import record
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.actions import post, post_all
from markethall.foundation.ledger.rules import transfer
from markethall.foundation.payments import inbox
from markethall.foundation.payments.actions import correct_amount, mark_succeeded, request_refund
from markethall.foundation.payments.errors import (
    NothingToDecide,
    PaymentMissing,
    UnknownGateway,
)
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import ChargeState, ChargeTruth, NoticeKind
from markethall.foundation.payments.inbox import Outcome
from markethall.foundation.payments.models import (
    InboxEvent,
    InboxStatus,
    Payment,
    PaymentStatus,
    Refund,
)
from markethall.foundation.payments.queries import inbox_events
from markethall.foundation.reconciliation.actions import mark_outcome
from markethall.foundation.reconciliation.models import Difference, Reason
from markethall.foundation.reconciliation.queries import open_differences
from markethall.kernel.locking import lock_row
from markethall.trade.orders import rules
from markethall.trade.orders.models import Order

RETURN_REASON = "Another amount was paid than was asked for."
EXCESS_REASON = "More was paid than the order cost."
_MOST_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """What says that a payment's money is not what was asked for."""

    events: list[InboxEvent]
    differences: list[Difference]

    @property
    def sentences(self) -> list[str]:
        """For whoever decides, the newest first, none twice."""
        said = [event.outcome for event in self.events]
        said += [
            f"The gateway's list of charges has {row.money_there or 'nothing'}."
            for row in self.differences
        ]
        return list(dict.fromkeys(said))


def evidence_of(payment: Payment) -> Evidence:
    """Parked events and open differences about a payment that is not settled; asks no gateway."""
    if payment.status == PaymentStatus.SUCCEEDED or not payment.gateway_ref:
        return Evidence([], [])
    parked = inbox_events(status=InboxStatus.PARKED, provider=payment.gateway)
    events = [
        event
        for event in parked.order_by("-id")[:_MOST_EVENTS]
        if (found := payment_of(event)) and found.pk == payment.pk
    ]
    differences = open_differences().filter(payment_id=payment.pk, reason=Reason.NOT_BOOKED)
    return Evidence(
        events, [row for row in differences.order_by("-pk") if row.money_there != payment.money]
    )


def payment_of(event: InboxEvent) -> Payment | None:
    """Our payment that an event of a gateway is about; None for any other event."""
    try:
        gateway = registry.named(event.provider)
    except UnknownGateway:
        return None
    notice = gateway.read_notice(event.type, event.payload)
    if notice.kind != NoticeKind.PAYMENT:
        return None
    return settlement.payment_of(event.provider, notice)


def give_back(*, payment_id: uuid.UUID, actor_id: uuid.UUID) -> Refund:
    """Book what the gateway has of a payment as owed, and give all of it back there. The order
    stays as it is, and can be paid by another payment.

    The refund returned may have failed: it says why. Raises PaymentMissing, NothingToDecide,
    GatewayRefused, GatewayUnavailable. Call it outside a transaction.
    """
    seen, truth = _ask(payment_id)
    if truth.money == seen.money:
        raise NothingToDecide("The gateway has what was asked for. Accept it.")
    with transaction.atomic():
        order, payment = _lock(seen)
        was = payment.money
        correct_amount(payment, truth.money)
        mark_succeeded([(payment, truth.charge_ref)], surplus=True)
        post_all([settlement.booking(order, payment)])
        refund = request_refund(payment, amount=None, reason=RETURN_REASON, actor_id=actor_id)
        text = f"{truth.money} goes back, {was} was asked for."
        _close(seen, text)
        _record("payments.mismatch_returned", payment, order, actor_id, truth)
    return refunds.send(refund.pk)


def accept(*, payment_id: uuid.UUID, actor_id: uuid.UUID) -> Refund | None:
    """Let what the gateway has of a payment pay for its order, which it must cover in the order's
    currency; returns the refund of what was too much.

    Raises as ``give_back``, and NothingToDecide for money that does not cover an order that waits
    for it.
    """
    seen, truth = _ask(payment_id)
    if truth.money == seen.money:
        settlement.settle_truth(payment_id, truth)
        with transaction.atomic():
            order, payment = _lock(seen, settled=True)
            _close(seen, "The gateway was asked once more, and has what was asked for.")
            _record("payments.mismatch_accepted", payment, order, actor_id, truth)
        return None
    with transaction.atomic():
        order, payment = _lock(seen)
        if order.status not in rules.PAYABLE:
            raise NothingToDecide(f"The order is {order.status_label.lower()}. Give it back.")
        if truth.money.currency != order.currency or truth.money.amount < order.total:
            raise NothingToDecide(
                f"{truth.money} does not pay for an order of {order.total_money}. Give it back."
            )
        correct_amount(payment, truth.money)
        if settlement.pay([(order, payment, truth)]):
            raise NothingToDecide("What was ordered is sold out by now. Give it back.")
        refund = _set_aside_excess(order, payment, actor_id)
        _close(seen, f"{truth.money} was accepted for an order of {order.total_money}.")
        _record("payments.mismatch_accepted", payment, order, actor_id, truth)
    return refunds.send(refund.pk)


def _ask(payment_id: uuid.UUID) -> tuple[Payment, ChargeTruth]:
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise PaymentMissing
    if payment.status == PaymentStatus.SUCCEEDED:
        raise NothingToDecide("This payment is settled.")
    if not payment.gateway_ref:
        raise NothingToDecide("Nothing was opened at the gateway for this payment.")
    truth = registry.named(payment.gateway).fetch_payment(payment.gateway_ref)
    if truth.state != ChargeState.SUCCEEDED or truth.money.amount <= 0:
        raise NothingToDecide(f"The gateway says this payment is {truth.state}: no money is there.")
    return payment, truth


def _lock(seen: Payment, *, settled: bool = False) -> tuple[Order, Payment]:
    order, payment = lock_row(Order, seen.reference), lock_row(Payment, seen.pk)
    if payment.status == PaymentStatus.SUCCEEDED and not settled:
        raise NothingToDecide("Somebody else was quicker: this payment is settled.")
    return order, payment


def _set_aside_excess(order: Order, payment: Payment, actor_id: uuid.UUID) -> Refund:
    """What is more than the order cost is no sale: it is the payer's."""
    excess = payment.amount - order.total
    post(
        key=f"excess:{payment.pk}",
        kind="payment_excess",
        reference=f"order:{order.pk}",
        actor_id=actor_id,
        metadata={"orderNumber": order.number, "paymentId": str(payment.pk)},
        postings=transfer(
            accounts.owed(payment.currency),
            accounts.sales(order.storefront, payment.currency),
            excess,
        ),
    )
    return request_refund(
        payment, amount=excess, reason=EXCESS_REASON, actor_id=actor_id, is_owed=True
    )


def _close(payment: Payment, text: str) -> None:
    """What had said so waits for nobody any more. ``payment`` is as it was before."""
    evidence = evidence_of(payment)
    inbox.decide(evidence.events, Outcome(InboxStatus.SETTLED, text))
    for row in evidence.differences:
        mark_outcome(row, text, healed=True)


def _record(
    verb: str, payment: Payment, order: Order, actor_id: uuid.UUID, truth: ChargeTruth
) -> None:
    record(
        verb,
        actor_id=actor_id,
        subject_type="order",
        subject_id=order.pk,
        payment=str(payment.pk),
        paid=str(truth.money),
        total=str(order.total_money),
    )
