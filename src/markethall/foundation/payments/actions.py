"""Writes to payments and refunds. Rows handed in are locked by the caller; each function runs in
the caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection

from markethall.foundation.payments.errors import NothingToRefund, RefundTooLarge
from markethall.foundation.payments.models import (
    Payment,
    PaymentKind,
    PaymentStatus,
    Refund,
    RefundCause,
    RefundStatus,
)
from markethall.kernel import clock
from markethall.kernel.money import Money
from markethall.kernel.rows import insert


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
    payment = new_payment(
        reference=reference,
        payer_id=payer_id,
        money=money,
        gateway=gateway,
        kind=kind,
        return_url=return_url,
    )
    insert(payment)
    return payment


def new_payment(
    *,
    reference: uuid.UUID,
    payer_id: uuid.UUID | None,
    money: Money,
    gateway: str,
    kind: PaymentKind,
    return_url: str = "",
) -> Payment:
    """The same, not recorded: for a caller who stores it with what it is for."""
    return Payment(
        reference=reference,
        payer_id=payer_id,
        gateway=gateway,
        kind=kind,
        amount=money.amount,
        currency=money.currency,
        return_url=return_url,
        created_at=clock.now(),
    )


_OPENED = """
UPDATE payments_payment
   SET gateway_ref = %s, checkout_url = %s, client_secret = %s,
       status = CASE WHEN status = 'created' THEN 'pending' ELSE status END
 WHERE id = %s AND gateway_ref = ''
RETURNING *
"""


def record_opened(
    payment_id: uuid.UUID, *, ref: str, checkout_url: str = "", client_secret: str = ""
) -> Payment:
    """Record what the gateway opened for a payment, by one statement; the second time changes
    nothing."""
    for payment in Payment.objects.raw(_OPENED, [ref, checkout_url, client_secret, payment_id]):
        return payment
    return Payment.objects.get(pk=payment_id)


_SUCCEEDED = """
UPDATE payments_payment AS p
   SET status = 'succeeded', is_surplus = %s, failure = '', charge_ref = paid.charge_ref,
       succeeded_at = %s
  FROM unnest(%s::uuid[], %s::text[]) AS paid (id, charge_ref)
 WHERE p.id = paid.id
"""


def mark_succeeded(paid: Sequence[tuple[Payment, str]], *, surplus: bool) -> None:
    """The money of these payments is there, each by the charge named with it. ``surplus`` when it
    is owed back to the payer. One statement."""
    now = clock.now()
    for payment, charge_ref in paid:
        payment.status, payment.succeeded_at = PaymentStatus.SUCCEEDED, now
        payment.is_surplus, payment.failure, payment.charge_ref = surplus, "", charge_ref
    ids, refs = [payment.pk for payment, _ in paid], [charge_ref for _, charge_ref in paid]
    with connection.cursor() as cursor:
        cursor.execute(_SUCCEEDED, [surplus, now, ids, refs])


def mark_unpaid(payment: Payment, status: PaymentStatus, failure: str = "") -> None:
    """The money is not there: ``failed`` can still succeed, ``cancelled`` is over."""
    payment.status = status
    payment.failure = failure[:255]
    payment.save(update_fields=["status", "failure"])


def correct_amount(payment: Payment, money: Money) -> None:
    """Record what was paid in truth of a payment that was opened for another sum."""
    payment.amount, payment.currency = money.amount, money.currency
    payment.save(update_fields=["amount", "currency"])


def request_refund(
    payment: Payment,
    *,
    amount: int | None,
    reason: str,
    actor_id: uuid.UUID | None,
    key: str | None = None,
    cause: RefundCause = RefundCause.SHOP,
    gateway_ref: str = "",
    is_owed: bool = False,
) -> Refund:
    """Set aside ``amount`` minor units (all that is left when None) to be given back. ``is_owed``
    when it never paid for anything.

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
        cause=cause,
        gateway_ref=gateway_ref,
        amount=wanted,
        reason=reason,
        is_owed=is_owed,
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
    refund.tries, refund.gateway_ref = refund.tries + 1, ""
    refund.save(update_fields=["status", "failure", "settled_at", "tries", "gateway_ref"])


def mark_refund_sent(refund: Refund, *, ref: str) -> None:
    """The gateway has taken it on; it will tell how it ends."""
    refund.gateway_ref = ref
    refund.save(update_fields=["gateway_ref"])


def mark_refunded(refund: Refund, *, ref: str) -> None:
    """The gateway has given the money back."""
    refund.status, refund.gateway_ref, refund.failure = RefundStatus.SUCCEEDED, ref, ""
    refund.is_owed = False
    refund.settled_at = clock.now()
    refund.save(update_fields=["status", "gateway_ref", "failure", "is_owed", "settled_at"])


def mark_refund_failed(
    refund: Refund, payment: Payment, failure: str, *, ref: str = "", had_gone: bool = False
) -> None:
    """The gateway will not give the money back; what was set aside is free again. ``had_gone``
    when it seemed given back before: it is owed to the payer then."""
    payment.refunded -= refund.amount
    payment.save(update_fields=["refunded"])
    refund.status, refund.failure = RefundStatus.FAILED, failure[:255]
    refund.gateway_ref, refund.is_owed = ref, refund.is_owed or had_gone
    refund.settled_at = clock.now()
    refund.save(update_fields=["status", "failure", "gateway_ref", "is_owed", "settled_at"])
