"""Payments settled together: what an event costs is mostly its statements, and many events need
no more of them than one.

Only the plain case is: money has come, of the amount asked for, for an order that waits for it and
whose goods are there, at a gateway that tells many truths by one call. All else is left for
``settlement.settle``. The locks are the same: the orders by primary key, then the payments, the
stock, and the ledger's accounts.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction

from markethall.flows import mail_tracking, settlement
from markethall.foundation.payments import inbox
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import (
    ChargeState,
    ChargeTruth,
    Notice,
    NoticeKind,
    TellsMany,
)
from markethall.foundation.payments.models import InboxEvent, InboxStatus, Payment, PaymentStatus
from markethall.kernel.locking import lock_rows
from markethall.trade.orders import rules
from markethall.trade.orders.models import Order

_BY_REFS = "SELECT * FROM payments_payment WHERE gateway = %s AND gateway_ref = ANY(%s)"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that tells of a payment which its gateway, asked for the truth, calls paid."""

    event: InboxEvent
    notice: Notice
    payment: Payment
    truth: ChargeTruth


def settle_inbox() -> int:
    """Settle every event that is due; returns how many were tried."""
    return inbox.drain(settlement.settle, settle_together)


def settle_together(batch: Sequence[InboxEvent]) -> set[uuid.UUID]:
    """Settle the plain payments among ``batch`` in one transaction; returns their events' ids."""
    by_provider: dict[str, list[InboxEvent]] = {}
    for event in batch:
        if not mail_tracking.is_about_mail(event):
            by_provider.setdefault(event.provider, []).append(event)
    told = [each for name, events in by_provider.items() for each in _told(name, events)]
    if len(told) < 2:
        return set()
    with transaction.atomic():
        orders = lock_rows(Order, {each.payment.reference for each in told})
        payments = lock_rows(Payment, {each.payment.pk for each in told})
        plain: dict[uuid.UUID, tuple[_Told, Order, Payment]] = {}
        for each in told:
            order, payment = orders.get(each.payment.reference), payments.get(each.payment.pk)
            if order and payment and _is_plain(order, payment, each.truth):
                # Of two payments of one order, the second is a surplus.
                plain.setdefault(order.pk, (each, order, payment))
        if plain:
            sold_out = settlement.pay(
                [(order, payment, each.truth) for each, order, payment in plain.values()]
            )
            plain = {key: value for key, value in plain.items() if key not in sold_out}
            inbox.conclude(
                [
                    (each.event, settlement.remarked(settlement.paid_outcome(order), each.notice))
                    for each, order, _ in plain.values()
                ]
            )
    for each, _, payment in plain.values():
        log.info(
            "event settled",
            gateway=each.event.provider,
            event_id=each.event.event_id,
            status=InboxStatus.SETTLED,
            **settlement.about(payment),
        )
    return {each.event.pk for each, _, _ in plain.values()}


def _told(provider: str, events: Sequence[InboxEvent]) -> list[_Told]:
    """Which of a gateway's events tell of a payment that it calls paid; asks it once."""
    gateway = registry.named(provider)
    if not isinstance(gateway, TellsMany):
        return []
    by_ref: dict[str, tuple[InboxEvent, Notice]] = {}
    for event in events:
        notice = gateway.read_notice(event.type, event.payload)
        if notice.kind == NoticeKind.PAYMENT and notice.ref:
            by_ref.setdefault(notice.ref, (event, notice))
    payments = {
        payment.gateway_ref: payment
        for payment in Payment.objects.raw(_BY_REFS, [provider, list(by_ref)])
    }
    truths = gateway.fetch_payments(list(payments))
    return [
        _Told(event, notice, payments[ref], truths[ref])
        for ref, (event, notice) in by_ref.items()
        if ref in truths
        and truths[ref].state == ChargeState.SUCCEEDED
        and notice.money in (None, payments[ref].money)
    ]


def _is_plain(order: Order, payment: Payment, truth: ChargeTruth) -> bool:
    return (
        truth.money == payment.money
        and payment.status != PaymentStatus.SUCCEEDED
        and order.status in rules.PAYABLE
    )
