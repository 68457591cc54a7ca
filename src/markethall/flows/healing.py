"""Heals what webhooks did not tell: hears from a gateway what has moved there, and asks it about
what is open here. Ends in the state that the webhooks would have led to, and can run at any time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from django.db import transaction

from markethall.flows import chargebacks, refunds
from markethall.flows.reconciliation import ask_about, look
from markethall.flows.settlement import payment_of
from markethall.foundation.payments.actions import record_opened
from markethall.foundation.payments.errors import GatewayRefused, PaymentMissing
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import (
    Movement,
    MovementKind,
    Notice,
    NoticeKind,
)
from markethall.foundation.payments.inbox import NotYet
from markethall.foundation.payments.models import (
    Chargeback,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from markethall.foundation.payments.queries import open_chargebacks, open_refunds, unsettled
from markethall.foundation.reconciliation.queries import as_id, known_payments
from markethall.foundation.reconciliation.rules import Known

_AT_ONCE = 200
_MOST_OPEN = 1000

log = structlog.get_logger(__name__)
Tell = Callable[[str], None]
Act = Callable[[], object]


@dataclass(slots=True)
class Tally:
    """How many payments, refunds and chargebacks were asked about, and how many changed by it."""

    asked: int = 0
    healed: int = 0


def heal(
    gateway: str,
    movements: Sequence[Movement],
    *,
    since: datetime,
    opened_before: datetime,
    tell: Tell,
) -> Tally:
    """Settle what a gateway has moved and we have not booked, then ask it about every payment
    and refund that is open with us since before ``opened_before``, and about the chargebacks
    opened ``since`` then or open with us.

    Raises GatewayUnavailable: what was healed until then stays healed.
    """
    tally = Tally()
    heard = 0
    # Charges first: a refund may name its payment by what only the settled charge tells us.
    for kind in (MovementKind.CHARGE, MovementKind.REFUND):
        moved = sorted((one for one in movements if one.kind == kind), key=lambda one: one.at)
        for start in range(0, len(moved), _AT_ONCE):
            batch = moved[start : start + _AT_ONCE]
            heard += len(batch)
            tell(f"{gateway}: {heard} of {len(movements)} movements")
            _hear(batch, known_payments(gateway, batch), tally)
    rows = unsettled(opened_before).filter(gateway=gateway).order_by("pk")[:_MOST_OPEN]
    for number, payment in enumerate(rows, start=1):
        tell(f"{gateway}: open payment {number}")
        _count(tally, payment, partial(ask_about, payment))
    waiting = open_refunds(opened_before).filter(payment__gateway=gateway)[:_MOST_OPEN]
    for number, refund in enumerate(waiting, start=1):
        tell(f"{gateway}: refund under way {number}")
        _count(tally, refund, partial(refunds.look, refund.pk))
    _follow_chargebacks(gateway, since, tally, tell)
    return tally


def hear_charge(payment_id: uuid.UUID, ref: str) -> None:
    """Settle a payment that the gateway says is paid, by what it was opened with: ``ref`` when
    that was never recorded. Another charge for the same payment settles nothing."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.status == PaymentStatus.SUCCEEDED:
        return
    if not payment.gateway_ref:
        with transaction.atomic():
            payment = record_opened(payment_id, ref=ref)
    look(payment_id)


def hear_refund(payment_id: uuid.UUID, ref: str, refund_id: str = "") -> None:
    """Record money that the gateway has given back: our refund, or one made there by hand.

    Raises NotYet when it cannot be booked yet.
    """
    payment = Payment.objects.get(pk=payment_id)
    refund = payment.refunds.filter(gateway_ref=ref).first() or _asked_for(payment, refund_id)
    if refund is None:
        refund = refunds.adopt(payment, ref)
    if refund.status == RefundStatus.REQUESTED:
        refunds.look(refund.pk)


def _follow_chargebacks(gateway: str, since: datetime, tally: Tally, tell: Tell) -> None:
    """Bring those that are open with us to where they are, and open those that nobody told of."""
    tell(f"{gateway}: chargebacks")
    for row in open_chargebacks(gateway)[:_MOST_OPEN]:
        _count(tally, row.payment, partial(chargebacks.follow, row.payment, row.gateway_ref))
    try:
        truths = list(registry.named(gateway).recent_chargebacks(since))
    except GatewayRefused as error:  # a key that may not read them heals the rest all the same
        log.warning("chargebacks not heard", gateway=gateway, error=error.detail)
        return
    of_gateway = Chargeback.objects.filter(payment__gateway=gateway)
    refs = [truth.ref for truth in truths]
    known = set(of_gateway.filter(gateway_ref__in=refs).values_list("gateway_ref", flat=True))
    for truth in truths:
        notice = Notice(NoticeKind.CHARGEBACK, ref=truth.charge_ref, payment_key=truth.payment_key)
        payment = None if truth.ref in known else payment_of(gateway, notice)
        if payment:
            _count(tally, payment, partial(chargebacks.follow, payment, truth.ref))


def _asked_for(payment: Payment, refund_id: str) -> Refund | None:
    """Our refund of that id, if the gateway's answer to it was lost."""
    return payment.refunds.filter(
        pk__in=as_id(refund_id), gateway_ref="", status=RefundStatus.REQUESTED
    ).first()


def _hear(batch: Iterable[Movement], known: dict[str, Known], tally: Tally) -> None:
    settled = set(
        Payment.objects.filter(
            pk__in={row.payment_id for row in known.values()}, status=PaymentStatus.SUCCEEDED
        ).values_list("pk", flat=True)
    )
    refs = [moved.ref for moved in batch if moved.kind == MovementKind.REFUND]
    gone = set(
        Refund.objects.filter(gateway_ref__in=refs)
        .exclude(status=RefundStatus.REQUESTED)
        .values_list("payment_id", "gateway_ref")
    )
    for moved in batch:
        row = known.get(moved.payment_ref) or known.get(moved.payment_id)
        if row is None:
            continue
        payment = Payment(pk=row.payment_id)
        if moved.kind == MovementKind.CHARGE and row.payment_id not in settled:
            act: Act = partial(hear_charge, row.payment_id, moved.payment_ref)
        elif moved.kind == MovementKind.REFUND and (row.payment_id, moved.ref) not in gone:
            act = partial(hear_refund, row.payment_id, moved.ref, moved.refund_id)
        else:
            continue
        _count(tally, payment, act)


def _count(tally: Tally, row: Payment | Refund, act: Act) -> None:
    """Run ``act``, which asks the gateway about ``row``, and see whether anything changed."""
    before = _state(row)
    tally.asked += 1
    try:
        act()
    except (GatewayRefused, PaymentMissing, NotYet) as error:
        log.warning("not reconciled", subject=str(row.pk), error=str(error))
    tally.healed += _state(row) != before


def _state(row: Payment | Refund) -> object:
    if isinstance(row, Refund):
        return Refund.objects.filter(pk=row.pk).values_list("status").first()
    of_refunds = Refund.objects.filter(payment_id=row.pk).order_by("pk").values_list("status")
    of_banks = Chargeback.objects.filter(payment_id=row.pk).order_by("pk")
    status = Payment.objects.filter(pk=row.pk).values_list("status").first()
    return status, tuple(of_refunds), tuple(of_banks.values_list("status", "withdrawn"))
