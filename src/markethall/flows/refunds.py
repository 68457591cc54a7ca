"""Giving money back: prepare → gateway → record, and what was given is taken back.

A refund is set aside under the locks of order and payment before the gateway is asked, so that
refunds at once never exceed what was paid. Its id is the key at the gateway: asking twice gives
back once. The direct answer and the webhook settle it once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from markethall.flows import fulfilment, refund_lines
from markethall.flows.order_parcels import follow_parcels
from markethall.flows.refund_lines import Part, RefundedLine
from markethall.foundation.audit.actions import record
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.accounts import AccountRef
from markethall.foundation.ledger.actions import post
from markethall.foundation.ledger.rules import transfer
from markethall.foundation.payments.actions import (
    mark_refund_failed,
    mark_refund_sent,
    mark_refunded,
    request_refund,
    retry_refund,
)
from markethall.foundation.payments.errors import (
    GatewayRefused,
    NothingToRefund,
    PaymentMissing,
    RefundMissing,
    RefundTooLarge,
)
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import Notice, RefundState, RefundTruth
from markethall.foundation.payments.inbox import NotYet
from markethall.foundation.payments.models import (
    Payment,
    PaymentStatus,
    Refund,
    RefundCause,
    RefundStatus,
)
from markethall.foundation.payments.queries import open_refunds
from markethall.kernel import clock, events, jobs
from markethall.kernel.errors import Invalid
from markethall.kernel.idempotency import IdempotencyMismatch
from markethall.kernel.locking import lock_one
from markethall.kernel.money import Money
from markethall.trade.orders.actions import move
from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.events import OrderRefunded
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.orders.pieces import pieces_of

# A request that nobody answered for so long was cut off by a crash.
_FORGOTTEN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """What shall go back: pieces of lines and what is left of the shipping, or ``amount`` minor
    units for nothing in particular; with none of them, all that is left."""

    amount: int | None = None
    lines: Sequence[RefundedLine] = ()
    shipping: bool = False


def refund_order(
    *,
    order_id: uuid.UUID,
    amount: int | None,
    reason: str,
    actor_id: uuid.UUID | None,
    key: str | None = None,
    lines: Sequence[RefundedLine] = (),
    shipping: bool = False,
    unless: Callable[[Order], None] | None = None,
) -> Refund:
    """Give back an order's money, as ``Claim`` says. ``unless`` raises what speaks against it, of
    the locked order.

    ``key`` makes a second call give the first refund. The refund returned may have failed: it
    says why. Raises OrderMissing, NothingToRefund, RefundTooLarge, Invalid, GatewayUnavailable
    (the refund is kept then, and tried again). Call it outside a transaction.
    """
    wanted = Claim(amount, lines, shipping)
    with transaction.atomic(durable=True):
        refund = _prepare(order_id, wanted, reason, actor_id, key, unless)
    return send(refund.pk)


def refund_later(*, order_id: uuid.UUID, reason: str, actor_id: uuid.UUID | None) -> Refund:
    """Set aside all that is left of an order, and have a job ask the gateway; in the caller's
    transaction. Raises as ``refund_order``."""
    refund = _prepare(order_id, Claim(), reason, actor_id, None, None)
    send_later(refund)
    return refund


def refund_payment(
    *,
    payment_id: uuid.UUID,
    amount: int | None,
    reason: str,
    actor_id: uuid.UUID,
    key: str | None = None,
    lines: Sequence[RefundedLine] = (),
    shipping: bool = False,
) -> Refund:
    """As ``refund_order``, by the payment that paid the order. Raises PaymentMissing."""
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        raise PaymentMissing
    if not Order.objects.filter(pk=payment.reference, payment=payment).exists():
        raise NothingToRefund("This payment has paid for no order.")
    return refund_order(
        order_id=payment.reference,
        amount=amount,
        reason=reason,
        actor_id=actor_id,
        key=key,
        lines=lines,
        shipping=shipping,
    )


def send(refund_id: uuid.UUID) -> Refund:
    """Ask the gateway for a requested refund and record its answer. Can run twice, or at once.

    One that the gateway has taken on already is asked about instead. Raises GatewayUnavailable;
    the job asks again later.
    """
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.status != RefundStatus.REQUESTED:
        return refund
    if refund.gateway_ref:
        return look(refund_id)
    payment = refund.payment
    try:
        truth = registry.named(payment.gateway).refund(
            payment.money_ref,
            key=refund.gateway_key,
            money=refund.money,
            reason=refund.reason,
            refund_id=str(refund.pk),
        )
    except GatewayRefused as error:
        truth = RefundTruth("", RefundState.FAILED, error.detail)
    with transaction.atomic():
        return _record(refund_id, truth)


def look(refund_id: uuid.UUID) -> Refund:
    """Ask the gateway how a refund stands, also one that had succeeded, and record the answer."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if not refund.gateway_ref:
        return send(refund_id)
    truth = registry.named(refund.payment.gateway).fetch_refund(refund.gateway_ref)
    with transaction.atomic():
        return _record(refund_id, truth)


def adopt(payment: Payment, refund_ref: str) -> Refund:
    """Take a refund that somebody made at the gateway's own pages as one of ours; the same one
    the second time. It is recorded as requested: ``look`` follows.

    Raises NotYet while the payment is not settled, or other refunds of it are under way.
    """
    truth = registry.named(payment.gateway).fetch_refund(refund_ref)
    with transaction.atomic():
        order = lock_one(Order.objects.filter(pk=payment.reference))
        payment = lock_one(Payment.objects.filter(pk=payment.pk))
        known = payment.refunds.filter(gateway_ref=refund_ref).first()
        if known:
            return known
        if payment.status != PaymentStatus.SUCCEEDED:
            raise NotYet("The payment that it gives back is not settled yet.")
        if truth.money is None or truth.money.currency != payment.currency:
            raise NotYet("The gateway names no amount in the payment's currency.")
        if truth.money.amount > payment.amount - payment.refunded:
            raise NotYet("With the refunds on record it is more than was paid.")
        reason = truth.reason or "Given back at the gateway's own pages."
        refund = request_refund(
            payment,
            amount=truth.money.amount,
            reason=reason[:500],
            actor_id=None,
            cause=RefundCause.GATEWAY,
            gateway_ref=refund_ref,
        )
        _set_aside_rest(order, payment, refund)
        record(
            "payments.refund_adopted",
            actor_id=None,
            subject_type="order",
            subject_id=order.pk,
            refund=str(refund.pk),
            amount=refund.amount,
            currency=payment.currency,
        )
    return refund


def lose(payment: Payment, money: Money, reason: str, ref: str) -> Refund | None:
    """Record money that the payer's bank has taken for good, and take back what it bought, in the
    caller's transaction, under the locks of order and payment. None when nothing was left to take.
    """
    left = payment.amount - payment.refunded
    if left <= 0:
        return None
    refund = request_refund(
        payment,
        amount=min(left, money.amount),
        reason=reason,
        actor_id=None,
        cause=RefundCause.CHARGEBACK,
        gateway_ref=ref,
    )
    _set_aside_rest(Order.objects.get(pk=payment.reference), payment, refund)
    return _record(refund.pk, RefundTruth(ref, RefundState.SUCCEEDED, money=refund.money))


def send_later(refund: Refund) -> None:
    """Enqueue the job that asks the gateway, in the transaction that requested the refund."""
    jobs.enqueue("send_refund", refund_id=str(refund.pk))


def retry(*, refund_id: uuid.UUID, actor_id: uuid.UUID) -> Refund:
    """Ask again for a refund that failed. Raises RefundMissing, NothingToRefund unless it has
    failed, RefundTooLarge when others took its place, GatewayUnavailable (a job asks again then).
    Call it outside a transaction."""
    with transaction.atomic(durable=True):
        refund = Refund.objects.select_related("payment").filter(pk=refund_id).first()
        if refund is None:
            raise RefundMissing
        order = lock_one(Order.objects.filter(pk=refund.payment.reference))
        payment = lock_one(Payment.objects.filter(pk=refund.payment_id))
        refund = lock_one(Refund.objects.filter(pk=refund_id))
        if refund.status != RefundStatus.FAILED:
            raise NothingToRefund(f"This refund is {refund.status}.")
        if not refund.is_owed:
            refund_lines.set_aside_again(order, refund)
        retry_refund(refund, payment)
        record(
            "payments.refund_retry", actor_id=actor_id, subject_type="refund", subject_id=refund.pk
        )
    return send(refund_id)


def find(provider: str, notice: Notice) -> Refund | None:
    """Our refund that a webhook is about, of a payment at that gateway."""
    ours = Refund.objects.select_related("payment").filter(payment__gateway=provider)
    if notice.refund_ref and (known := ours.filter(gateway_ref=notice.refund_ref).first()):
        return known
    try:
        return ours.filter(pk=notice.refund_key).first()
    except ValidationError:
        return None


def send_forgotten() -> int:
    """Enqueue refunds that a crash cut off from their gateway; returns how many."""
    forgotten = list(open_refunds(clock.now() - _FORGOTTEN_AFTER)[:200])
    for refund in forgotten:
        send_later(refund)
    return len(forgotten)


def _prepare(
    order_id: uuid.UUID,
    wanted: Claim,
    reason: str,
    actor_id: uuid.UUID | None,
    key: str | None,
    unless: Callable[[Order], None] | None,
) -> Refund:
    _check(wanted, reason)
    order = lock_one(Order.objects.filter(pk=order_id), missing=OrderMissing)
    if key and (kept := _kept(key, order, wanted)):
        return kept
    if unless:
        unless(order)
    if order.payment_id is None:
        raise NothingToRefund("This order has not been paid.")
    payment = lock_one(Payment.objects.filter(pk=order.payment_id))
    amount, parts = _worth(order, payment, wanted)
    refund = request_refund(payment, amount=amount, reason=reason, actor_id=actor_id, key=key)
    if parts:
        refund_lines.set_aside(order, refund, parts)
    else:
        _set_aside_rest(order, payment, refund)
    record(
        "payments.refund",
        actor_id=actor_id,
        subject_type="order",
        subject_id=order.pk,
        refund=str(refund.pk),
        amount=refund.amount,
        currency=payment.currency,
        reason=reason,
    )
    return refund


def _check(wanted: Claim, reason: str) -> None:
    if not reason.strip():
        raise Invalid.field("reason", "Say why the money goes back.")
    if wanted.amount is None:
        return
    if wanted.amount <= 0:
        raise Invalid.field("amount", "Give back something, or leave the amount out for all.")
    if wanted.lines or wanted.shipping:
        raise Invalid.field("amount", "Name lines or an amount; lines have their own.")


def _worth(order: Order, payment: Payment, wanted: Claim) -> tuple[int | None, list[Part]]:
    """What a refund comes to, and of which parts when lines or the shipping are wanted."""
    if not wanted.lines and not wanted.shipping:
        return _beside_what_is_owed(payment, wanted.amount), []
    left = max(0, payment.amount - payment.refunded - _owed(payment))
    parts = refund_lines.parts_of(order, wanted.lines, shipping=wanted.shipping, left=left)
    amount = sum(part.amount for part in parts)
    if not amount:
        raise NothingToRefund("Nothing of what was paid is left for this.")
    return amount, parts


def _set_aside_rest(order: Order, payment: Payment, refund: Refund) -> None:
    """Where all that was paid goes back, so does everything bought."""
    is_all = payment.amount - payment.refunded - _owed(payment) <= 0
    if order.payment_id == payment.pk and is_all and not refund.is_owed:
        parts = refund_lines.rest_of(order, amount=refund.amount)
        refund_lines.set_aside(order, refund, parts)


def _owed(payment: Payment) -> int:
    """What could not be sent of what is owed already, in minor units."""
    failed = payment.refunds.filter(is_owed=True, status=RefundStatus.FAILED)
    return sum(failed.values_list("amount", flat=True))


def _beside_what_is_owed(payment: Payment, amount: int | None) -> int | None:
    """What is owed already and could not be sent is no part of what an order can still give."""
    owed = _owed(payment)
    left = payment.amount - payment.refunded - owed
    if owed and left <= 0:
        raise NothingToRefund("All of it is owed by a refund that failed. Try that one again.")
    if owed and amount is not None and amount > left:
        raise RefundTooLarge(f"At most {Money(left, payment.currency)} can be given back.")
    return left if owed and amount is None else amount


def _kept(key: str, order: Order, wanted: Claim) -> Refund | None:
    refund = Refund.objects.filter(key=key).first()
    if refund is None:
        return None
    has_lines = bool(wanted.lines or wanted.shipping)
    if (
        refund.payment_id != order.payment_id
        or wanted.amount not in (None, refund.amount)
        or (has_lines and not refund_lines.is_same(refund, wanted.lines, shipping=wanted.shipping))
    ):
        raise IdempotencyMismatch("This key asked for another refund.")
    return refund


def _record(refund_id: uuid.UUID, truth: RefundTruth) -> Refund:
    """Record the gateway's answer, under the locks of order and payment in that order."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    order = lock_one(Order.objects.filter(pk=refund.payment.reference))
    payment = lock_one(Payment.objects.filter(pk=refund.payment_id))
    refund = lock_one(Refund.objects.filter(pk=refund_id))
    refund.payment = payment
    if refund.gateway_ref not in {"", truth.ref} and truth.ref:
        return refund  # the truth about an earlier try
    if refund.status == RefundStatus.SUCCEEDED and truth.state == RefundState.FAILED:
        mark_refund_failed(refund, payment, truth.failure, ref=truth.ref, had_gone=True)
        _book_return(order, payment, refund)
    if refund.status != RefundStatus.REQUESTED:
        return refund
    if truth.state == RefundState.PENDING:
        mark_refund_sent(refund, ref=truth.ref)
    elif truth.state == RefundState.FAILED:
        mark_refund_failed(refund, payment, truth.failure, ref=truth.ref)
    else:
        _record_gone(order, payment, refund, truth)
    return refund


def _record_gone(order: Order, payment: Payment, refund: Refund, truth: RefundTruth) -> None:
    is_again = refund.is_owed
    source = (
        accounts.disputed(payment.currency)
        if refund.cause == RefundCause.CHARGEBACK
        else accounts.gateway(payment.gateway, payment.currency)
    )
    target = (
        accounts.owed(payment.currency)
        if payment.is_surplus or is_again
        else accounts.sales(order.storefront, payment.currency)
    )
    mark_refunded(refund, ref=truth.ref)
    _book(order, refund, source, target, key=f"refund:{refund.gateway_key}")
    if not payment.is_surplus and not is_again:
        _take_back(order, refund)


def _book_return(order: Order, payment: Payment, refund: Refund) -> None:
    """The bank has sent a refund back: the money lies at the gateway again, and is the payer's."""
    into = accounts.gateway(payment.gateway, payment.currency)
    key = f"refund-returned:{refund.gateway_key}"
    _book(order, refund, accounts.owed(payment.currency), into, key=key)


def _book(
    order: Order, refund: Refund, source: AccountRef, target: AccountRef, *, key: str
) -> None:
    post(
        key=key,
        kind="payment_refund",
        reference=f"order:{order.pk}",
        actor_id=refund.actor_id,
        metadata={
            "orderNumber": order.number,
            "paymentId": str(refund.payment_id),
            "refundId": str(refund.pk),
            "reason": refund.reason,
        },
        postings=transfer(source, target, refund.amount),
    )


def _take_back(order: Order, refund: Refund) -> None:
    order.refunded += refund.amount
    order.save(update_fields=["refunded"])
    fulfilment.take_back(order, refund)
    if order.refunded == order.total or _is_all_back(order):
        if order.status != OrderStatus.REFUNDED:
            move(order, OrderStatus.REFUNDED, actor_id=refund.actor_id, note=refund.reason)
    else:
        follow_parcels(order, actor_id=refund.actor_id)
    events.publish(OrderRefunded(order.pk, refund.pk))


def _is_all_back(order: Order) -> bool:
    """Whether the customer has kept no piece of anything: what is left is the shipping's."""
    return not any(there.kept for there in pieces_of(order.lines.all()).values())
