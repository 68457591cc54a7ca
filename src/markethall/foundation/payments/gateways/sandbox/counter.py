"""The sandbox gateway's own side: its records, and the events it tells about them.

Each change of a record and the job that tells about it are one transaction, as with a real
gateway, which loses no event either.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from markethall.foundation.payments.errors import GatewayRefused, PaymentMissing
from markethall.foundation.payments.gateways.base import ChargeRequest, CustomerRequest
from markethall.foundation.payments.models import (
    ChargebackStatus,
    SandboxCheckout,
    SandboxCustomer,
    SandboxRefund,
)
from markethall.kernel import clock, jobs
from markethall.kernel.locking import lock_one
from markethall.kernel.money import Money
from markethall.kernel.rows import insert

CARD_OK = "sandbox_card_ok"
CARD_DECLINED = "sandbox_card_declined"
CARD_NO_REFUNDS = "sandbox_card_no_refunds"
PAYMENT_METHODS = (CARD_OK, CARD_DECLINED, CARD_NO_REFUNDS)

DECIDED = (ChargebackStatus.WON, ChargebackStatus.LOST)

_EVENTS = {
    "paid": "payment.succeeded",
    "declined": "payment.failed",
    "abandoned": "payment.abandoned",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an event is told: so many copies at once, after a delay, mixed with early ones."""

    deliveries: int = 1
    delay: timedelta = timedelta()
    shuffle: bool = False


ONCE = Delivery()


def keep_customer(request: CustomerRequest) -> SandboxCustomer:
    """The record of somebody who pays; the same one for the same key."""
    record, _ = SandboxCustomer.objects.get_or_create(
        idempotency_key=request.key,
        defaults={
            "id": f"sbc_{secrets.token_hex(12)}",
            "email": request.email,
            "name": request.name,
            "created_at": clock.now(),
        },
    )
    return record


def open_checkout(request: ChargeRequest, *, kind: str) -> SandboxCheckout:
    """The record of ``request``; the same one for the same key."""
    record = SandboxCheckout(
        id=f"sbx_{secrets.token_hex(12)}",
        idempotency_key=request.key,
        customer_id=request.customer_ref or None,
        kind=kind,
        amount=request.money.amount,
        currency=request.money.currency,
        description=request.description[:255],
        metadata=dict(request.metadata),
        return_url=request.return_url,
        cancel_url=request.cancel_url,
        created_at=clock.now(),
    )
    try:
        with transaction.atomic():
            insert(record)
    except IntegrityError:  # opened before
        return SandboxCheckout.objects.get(idempotency_key=request.key)
    return record


def pay(ref: str, *, payment_method: str = CARD_OK, delivery: Delivery = ONCE) -> SandboxCheckout:
    """Charge a card. One that is paid stays so, and its event is told again.

    Raises GatewayRefused once the payment is closed.
    """
    return _conclude(
        ref, "declined" if payment_method == CARD_DECLINED else "paid", payment_method, delivery
    )


def abandon(ref: str, *, delivery: Delivery = ONCE) -> SandboxCheckout:
    """The customer left. One that is paid stays paid."""
    return _conclude(ref, "abandoned", "", delivery)


def close(ref: str) -> SandboxCheckout:
    """Close a payment at the shop's wish. One that is paid stays paid; tells nobody."""
    with transaction.atomic():
        record = _locked(ref)
        if record.status in {"open", "declined"}:
            record.status = "abandoned"
            record.save(update_fields=["status"])
    return record


def give_back(ref: str, *, key: str, money: Money, refund_id: str) -> SandboxRefund | None:
    """Give back ``money``, once per key; None when the bank refuses. Raises GatewayRefused for
    more than was paid."""
    with transaction.atomic():
        record = _locked(ref)
        done = SandboxRefund.objects.filter(idempotency_key=key).first()
        if done:
            return done
        if record.status != "paid" or money.currency != record.currency:
            raise GatewayRefused("This payment has nothing to give back in that currency.")
        if record.dispute:
            raise GatewayRefused("The payer's bank has taken this payment back, and decides on it.")
        if record.refunded + money.amount > record.amount:
            raise GatewayRefused("This is more than was paid.")
        if record.payment_method == CARD_NO_REFUNDS:
            return None
        record.refunded += money.amount
        record.save(update_fields=["refunded"])
        refund = SandboxRefund.objects.create(
            id=f"sbr_{secrets.token_hex(12)}",
            checkout=record,
            idempotency_key=key,
            amount=money.amount,
            created_at=clock.now(),
        )
        data = {"id": refund.pk, "payment": ref, "key": refund_id}
        _tell(f"evt_{refund.pk}", "refund.succeeded", {**data, **_money(money)}, ONCE)
    return refund


def dispute(ref: str) -> SandboxCheckout:
    """The payer's bank takes the money back until it has decided. Told again when it has done so
    before. Raises GatewayRefused for what was not paid, or has gone back."""
    with transaction.atomic():
        record = _locked(ref)
        if record.status != "paid" or record.refunded:
            raise GatewayRefused("Only a payment that is made, and of which nothing went back.")
        if not record.dispute:
            record.dispute = ChargebackStatus.NEEDS_RESPONSE
            record.disputed_at = clock.now()
            record.save(update_fields=["dispute", "disputed_at"])
        _tell_dispute(record)
    return record


def decide(ref: str, *, for_shop: bool) -> SandboxCheckout:
    """The payer's bank decides, once. Raises GatewayRefused when nothing is disputed."""
    with transaction.atomic():
        record = _locked(ref)
        if not record.dispute:
            raise GatewayRefused("Nobody disputes this payment.")
        if record.dispute not in DECIDED:
            record.dispute = ChargebackStatus.WON if for_shop else ChargebackStatus.LOST
            record.save(update_fields=["dispute"])
        _tell_dispute(record)
    return record


def dispute_ref(record: SandboxCheckout) -> str:
    """What the gateway calls the chargeback of a payment."""
    return f"sbd_{record.pk.removeprefix('sbx_')}"


def disputed(ref: str) -> str:
    """The payment that a chargeback is about."""
    return f"sbx_{ref.removeprefix('sbd_')}"


def _tell_dispute(record: SandboxCheckout) -> None:
    ref = dispute_ref(record)
    type = "dispute.closed" if record.dispute in DECIDED else "dispute.opened"
    data = {"id": ref, "payment": record.pk, "status": record.dispute, **_money(record.money)}
    _tell(f"evt_{ref}_{record.dispute}", type, data, ONCE)


def _conclude(ref: str, status: str, payment_method: str, delivery: Delivery) -> SandboxCheckout:
    with transaction.atomic():
        record = _locked(ref)
        if record.status == "abandoned" and status != "abandoned":
            raise GatewayRefused("This payment is closed. Start again from the shop.")
        if record.status not in {"paid", "abandoned"}:
            record.status = status
            record.payment_method = payment_method
            record.tries += 1
            record.paid_at = clock.now() if status == "paid" else None
            record.save(update_fields=["status", "payment_method", "tries", "paid_at"])
        event = f"evt_{record.pk}_{record.tries}"
        data = {"id": record.pk, "metadata": record.metadata, **_money(record.money)}
        _tell(event, _EVENTS[record.status], data, delivery)
    return record


def _locked(ref: str) -> SandboxCheckout:
    missing = PaymentMissing("The sandbox gateway knows no such payment.")
    return lock_one(SandboxCheckout.objects.filter(pk=ref), missing=missing)


def _tell(event_id: str, type: str, data: dict[str, Any], delivery: Delivery) -> None:
    """Enqueue the deliveries of one event; shuffled, an early event of the same payment comes
    in between and after it."""
    copies = [_event(event_id, type, data)] * delivery.deliveries
    if delivery.shuffle:
        copies += [_event(f"{event_id}_early", "payment.processing", data)] * delivery.deliveries
        random.SystemRandom().shuffle(copies)
    jobs.enqueue("send_sandbox_webhooks", events=copies, delay=delivery.delay or None)


def _event(event_id: str, type: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": event_id, "type": type, "createdAt": clock.now().isoformat(), "data": data}


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
