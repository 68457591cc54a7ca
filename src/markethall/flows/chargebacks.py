"""A payer's bank wants money back: what that does to the books, the order, and who is told.

The gateway takes the money at once, and gives it back when the bank decides for us. It lies in
``disputed`` until then. What is lost is recorded as a refund, which takes back what was bought.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import transaction

from markethall.flows import refunds
from markethall.foundation.audit.actions import record
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.accounts import AccountRef
from markethall.foundation.ledger.actions import post
from markethall.foundation.ledger.rules import transfer
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import ChargebackState, ChargebackTruth
from markethall.foundation.payments.inbox import NotYet
from markethall.foundation.payments.models import (
    Chargeback,
    ChargebackStatus,
    Payment,
    PaymentStatus,
)
from markethall.foundation.platform.queries import platform_settings
from markethall.kernel import clock
from markethall.kernel.locking import lock, lock_one
from markethall.trade.orders.models import Order

CLOSED = {ChargebackStatus.WON, ChargebackStatus.LOST}


def follow(payment: Payment, chargeback_ref: str) -> str:
    """Ask the gateway about a chargeback, and bring the record and the books to where it is.

    Returns a sentence about it. Can run any number of times. Raises NotYet while the payment is
    not settled, and what the gateway raises.
    """
    truth = registry.named(payment.gateway).fetch_chargeback(chargeback_ref)
    with transaction.atomic():
        return _apply(payment.pk, truth)


def _apply(payment_id: uuid.UUID, truth: ChargebackTruth) -> str:
    seen = Payment.objects.only("reference").get(pk=payment_id)
    order = lock_one(Order.objects.filter(pk=seen.reference))
    payment = lock_one(Payment.objects.filter(pk=payment_id))
    if payment.status != PaymentStatus.SUCCEEDED:
        raise NotYet("The payment that it is about is not settled yet.")
    if truth.money.currency != payment.currency:
        raise NotYet(f"It is about {truth.money}, but was paid in {payment.currency}.")
    found = lock(payment.chargebacks.filter(gateway_ref=truth.ref))
    chargeback = found[0] if found else _open(order, payment, truth)
    if chargeback.status in CLOSED:
        return _after_the_end(order, payment, chargeback, truth)
    was = chargeback.status
    chargeback.status = ChargebackStatus(truth.state.value)
    chargeback.reason, chargeback.due_by = truth.reason[:100], truth.due_by
    is_lost = truth.state == ChargebackState.LOST
    _move_money(order, payment, chargeback, withdrawn=truth.withdrawn or is_lost)
    if is_lost:
        _lose(order, payment, chargeback)
    if chargeback.status in CLOSED:
        chargeback.closed_at = clock.now()
    chargeback.save()
    if was != chargeback.status or not found:
        _tell(order, chargeback, is_new=not found)
    return f"The chargeback over {truth.money} is {chargeback.get_status_display().lower()}."


def _open(order: Order, payment: Payment, truth: ChargebackTruth) -> Chargeback:
    chargeback = Chargeback.objects.create(
        payment=payment,
        gateway_ref=truth.ref,
        status=ChargebackStatus.NEEDS_RESPONSE,
        amount=truth.money.amount,
        created_at=clock.now(),
    )
    record(
        "payments.chargeback",
        actor_id=None,
        subject_type="order",
        subject_id=order.pk,
        chargeback=str(chargeback.pk),
        amount=truth.money.amount,
        currency=truth.money.currency,
    )
    return chargeback


def _after_the_end(
    order: Order, payment: Payment, chargeback: Chargeback, truth: ChargebackTruth
) -> str:
    """The money of one that was won can come back later than the word."""
    if chargeback.status == ChargebackStatus.LOST and truth.state != ChargebackState.LOST:
        raise NotYet(f"The bank had decided against us, and says {truth.state} now. Book it.")
    if chargeback.status == ChargebackStatus.WON and chargeback.withdrawn != truth.withdrawn:
        _move_money(order, payment, chargeback, withdrawn=truth.withdrawn)
        chargeback.save()
        return "The money of the chargeback is booked."
    return f"The chargeback was {chargeback.status} before."


def _lose(order: Order, payment: Payment, chargeback: Chargeback) -> None:
    """Record what was lost as a refund; what had been refunded already is lost twice."""
    reason = f"Chargeback lost: {chargeback.reason or 'no reason given'}."
    refund = refunds.lose(payment, chargeback.money, reason, chargeback.gateway_ref)
    chargeback.refund = refund
    rest = chargeback.amount - (refund.amount if refund else 0)
    if rest:
        sales = accounts.sales(order.storefront, payment.currency)
        _post(
            order, chargeback, "chargeback_loss", accounts.disputed(payment.currency), sales, rest
        )


def _move_money(order: Order, payment: Payment, chargeback: Chargeback, *, withdrawn: bool) -> None:
    """Book the money as the gateway has it: taken from us, or with us again."""
    if chargeback.withdrawn == withdrawn:
        return
    chargeback.withdrawn = withdrawn
    chargeback.moves += 1
    here = accounts.gateway(payment.gateway, payment.currency)
    there = accounts.disputed(payment.currency)
    if withdrawn:
        _post(order, chargeback, "chargeback", here, there, chargeback.amount)
    else:
        _post(order, chargeback, "chargeback_reversed", there, here, chargeback.amount)


def _post(
    order: Order,
    chargeback: Chargeback,
    kind: str,
    source: AccountRef,
    target: AccountRef,
    amount: int,
) -> None:
    post(
        key=f"{kind}:{chargeback.pk}:{chargeback.moves}",
        kind=kind,
        reference=f"order:{order.pk}",
        actor_id=None,
        metadata={
            "orderNumber": order.number,
            "paymentId": str(chargeback.payment_id),
            "chargebackId": str(chargeback.pk),
            "reason": chargeback.reason,
        },
        postings=transfer(source, target, amount),
    )


def _tell(order: Order, chargeback: Chargeback, *, is_new: bool) -> None:
    """Mail whoever answers the support address."""
    send_mail(
        "chargeback",
        to=platform_settings().support_email,
        context=chargeback_values(order, chargeback, is_new=is_new),
    )


def chargeback_values(order: Order, chargeback: Chargeback, *, is_new: bool) -> dict[str, Any]:
    """What the mail ``chargeback`` tells."""
    payment = chargeback.payment
    return {
        "order": order,
        "chargeback": chargeback,
        "amount": chargeback.money,
        "is_new": is_new,
        "answer": registry.named(payment.gateway).page_of("chargeback", chargeback.gateway_ref),
        "link": f"{settings.SITE_URL}/console/payments/{payment.pk}",
    }
