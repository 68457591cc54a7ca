"""Writes to payments and refunds. Rows handed in are locked by the caller; each function runs in
the caller's transaction."""

from __future__ import annotations

import uuid

from markethall.foundation.payments.errors import NothingToRefund, RefundTooLarge
from markethall.foundation.payments.models import (
    Payment,
    PaymentKind,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from markethall.kernel import clock
from markethall.kernel.locking import lock_one
from markethall.kernel.money import Money


def open_payment(
    *,
    reference: uuid.UUID,
    payer_id: uuid.UUID | None,
    money: Money,
    gateway: str,
    kind: PaymentKind,
    return_url: str = "",
) -> Payment:
    """Record the intent to be paid ``money`` for ``reference``; the gateway is called after."""
    return Payment.objects.create(
        reference=reference,
        payer_id=payer_id,
        gateway=gateway,
        kind=kind,
        amount=money.amount,
        currency=money.currency,
        return_url=return_url,
        created_at=clock.now(),
    )


def record_opened(
    payment_id: uuid.UUID, *, ref: str, checkout_url: str = "", client_secret: str = ""
) -> Payment:
    """Record what the gateway opened for a payment; the second time changes nothing."""
    payment = lock_one(Payment.objects.filter(pk=payment_id))
    if not payment.gateway_ref:
        payment.gateway_ref = ref
        payment.checkout_url = checkout_url
        payment.client_secret = client_secret
        if payment.status == PaymentStatus.CREATED:
            payment.status = PaymentStatus.PENDING
        payment.save(update_fields=["gateway_ref", "checkout_url", "client_secret", "status"])
    return payment


def mark_succeeded(payment: Payment, *, surplus: bool) -> None:
    """The money is there. ``surplus`` when it is owed back to the payer."""
    payment.status = PaymentStatus.SUCCEEDED
    payment.is_surplus = surplus
    payment.failure = ""
    payment.succeeded_at = clock.now()
    payment.save(update_fields=["status", "is_surplus", "failure", "succeeded_at"])


def mark_unpaid(payment: Payment, status: PaymentStatus, failure: str = "") -> None:
    """The money is not there: ``failed`` can still succeed, ``cancelled`` is over."""
    payment.status = status
    payment.failure = failure[:255]
    payment.save(update_fields=["status", "failure"])


def request_refund(
    payment: Payment,
    *,
    amount: int | None,
    reason: str,
    actor_id: uuid.UUID | None,
    key: str | None = None,
) -> Refund:
    """Set aside ``amount`` minor units (all that is left when None) to be given back.

    What is set aside counts as refunded, so refunds at once never exceed what was paid.
    Raises NothingToRefund and RefundTooLarge.
    """
    left = payment.amount - payment.refunded
    if payment.status != PaymentStatus.SUCCEEDED or left <= 0:
        raise NothingToRefund("This payment has nothing left to give back.")
    wanted = left if amount is None else amount
    if wanted > left:
        raise RefundTooLarge(f"At most {Money(left, payment.currency)} can be given back.")
    payment.refunded += wanted
    payment.save(update_fields=["refunded"])
    return Refund.objects.create(
        payment=payment,
        key=key,
        amount=wanted,
        reason=reason,
        actor_id=actor_id,
        created_at=clock.now(),
    )


def retry_refund(refund: Refund, payment: Payment) -> None:
    """Ask again for a refund that failed. Raises RefundTooLarge when others took its place."""
    if payment.refunded + refund.amount > payment.amount:
        raise RefundTooLarge("Other refunds have taken what was left of this payment.")
    payment.refunded += refund.amount
    payment.save(update_fields=["refunded"])
    refund.status, refund.failure, refund.settled_at = RefundStatus.REQUESTED, "", None
    refund.save(update_fields=["status", "failure", "settled_at"])


def mark_refunded(refund: Refund, *, ref: str) -> None:
    """The gateway has given the money back."""
    refund.status, refund.gateway_ref, refund.failure = RefundStatus.SUCCEEDED, ref, ""
    refund.settled_at = clock.now()
    refund.save(update_fields=["status", "gateway_ref", "failure", "settled_at"])


def mark_refund_failed(refund: Refund, payment: Payment, failure: str) -> None:
    """The gateway will not give the money back; what was set aside is free again."""
    payment.refunded -= refund.amount
    payment.save(update_fields=["refunded"])
    refund.status, refund.failure = RefundStatus.FAILED, failure[:255]
    refund.settled_at = clock.now()
    refund.save(update_fields=["status", "failure", "settled_at"])
