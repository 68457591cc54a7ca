from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from markethall.foundation.payments.models import (
    Chargeback,
    ChargebackStatus,
    InboxEvent,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)


def payments(
    *,
    payer_id: uuid.UUID | None = None,
    status: str = "",
    gateway: str = "",
    currency: str = "",
    reference: uuid.UUID | None = None,
    references: QuerySet[Any, Any] | None = None,
) -> QuerySet[Payment]:
    """Payments with their refunds, that match every given filter; order by ``-id``.
    ``references`` is a query for the ids of what they pay for."""
    wanted = {
        "payer_id": payer_id,
        "status": status,
        "gateway": gateway,
        "currency": currency.upper(),
        "reference": reference,
    }
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value}
    if references is not None:
        given["reference__in"] = references
    return Payment.objects.filter(**given).prefetch_related("refunds")


def payments_of(reference: uuid.UUID) -> QuerySet[Payment]:
    """All tries to be paid for ``reference``, the first one first."""
    return Payment.objects.filter(reference=reference).order_by("pk")


def unsettled(opened_before: datetime) -> QuerySet[Payment]:
    """Payments opened before then of which nobody has told how they ended. One that failed has
    not ended: another card may have paid it since."""
    not_ended = [PaymentStatus.CREATED, PaymentStatus.PENDING, PaymentStatus.FAILED]
    return Payment.objects.filter(status__in=not_ended, created_at__lt=opened_before)


def open_refunds(requested_before: datetime) -> QuerySet[Refund]:
    """Refunds requested before then that the gateway has not answered."""
    return Refund.objects.filter(
        status=RefundStatus.REQUESTED, created_at__lt=requested_before
    ).order_by("pk")


def inbox_events(*, status: str = "", provider: str = "", type: str = "") -> QuerySet[InboxEvent]:
    """Events of the inbox that match every given filter; order by ``-id``."""
    wanted = {"status": status, "provider": provider, "type": type}
    return InboxEvent.objects.filter(**{name: value for name, value in wanted.items() if value})


def refunds(*, status: str = "") -> QuerySet[Refund]:
    """Refunds with their payments, of one status when it is given; order by ``-id``."""
    found = Refund.objects.select_related("payment")
    return found.filter(status=status) if status else found


def chargebacks(*, status: str = "") -> QuerySet[Chargeback]:
    """Chargebacks with their payments, of one status when it is given; order by ``-id``."""
    found = Chargeback.objects.select_related("payment")
    return found.filter(status=status) if status else found


def open_chargebacks(gateway: str) -> QuerySet[Chargeback]:
    """A gateway's chargebacks that are not decided, or whose money has not come back yet."""
    decided = Q(status=ChargebackStatus.LOST) | Q(status=ChargebackStatus.WON, withdrawn=False)
    return chargebacks().filter(payment__gateway=gateway).exclude(decided).order_by("pk")
