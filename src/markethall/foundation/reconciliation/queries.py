from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from markethall.foundation.ledger.models import Entry
from markethall.foundation.payments.gateways.base import Movement, MovementKind
from markethall.foundation.payments.models import Payment, Refund
from markethall.foundation.reconciliation.errors import ComparisonMissing, DifferenceMissing
from markethall.foundation.reconciliation.models import Comparison, Difference
from markethall.foundation.reconciliation.rules import Booked, Known

_KINDS = {"payment": MovementKind.CHARGE, "refund": MovementKind.REFUND}


def known_payments(gateway: str, movements: Iterable[Movement]) -> dict[str, Known]:
    """Our payments that movements belong to, by the gateway's references and by our id."""
    refs: set[str] = set()
    ids: set[uuid.UUID] = set()
    for moved in movements:
        refs.add(moved.payment_ref)
        ids |= as_id(moved.payment_id)
    refs.discard("")
    found = Payment.objects.filter(gateway=gateway).filter(
        Q(gateway_ref__in=refs) | Q(charge_ref__in=refs) | Q(pk__in=ids)
    )
    known: dict[str, Known] = {}
    for payment in found:
        names = {str(payment.pk), payment.gateway_ref, payment.charge_ref} - {""}
        known |= dict.fromkeys(names, Known(payment.pk, payment.reference))
    return known


def booked(
    gateway: str, *, since: datetime, until: datetime, references: Iterable[uuid.UUID]
) -> list[Booked]:
    """What the ledger has at a gateway: posted from ``since`` until before ``until``, or for one
    of ``references`` whenever it was posted. A refund that came back is left out."""
    rows = Entry.objects.filter(account__code__startswith=f"gateway:{gateway}:").values_list(
        "transaction__key",
        "transaction__posted_at",
        "transaction__metadata",
        "transaction__reference",
        "account__unit",
        "amount",
    )
    orders = [f"order:{one}" for one in references]
    in_time = Q(transaction__posted_at__gte=since, transaction__posted_at__lt=until)
    found = {row[0]: row for row in rows.filter(in_time)}
    found |= {row[0]: row for row in rows.filter(transaction__reference__in=orders)}
    for key in [key for key in found if key.startswith("refund-returned:")]:
        found.pop(key.replace("refund-returned:", "refund:", 1), None)
    return _with_refs([made for row in found.values() for made in _read(*row)])


def comparisons() -> QuerySet[Comparison]:
    """All comparisons with the number of their open differences; order by ``-id``."""
    return Comparison.objects.annotate(
        open=Count("differences", filter=Q(differences__healed_at=None))
    )


def comparison(comparison_id: uuid.UUID) -> Comparison:
    """One comparison. Raises ComparisonMissing."""
    found = comparisons().filter(pk=comparison_id).first()
    if found is None:
        raise ComparisonMissing
    return found


def last_comparison(*, finished: bool = False) -> Comparison | None:
    """The comparison asked for last; the last one that ended when ``finished``."""
    rows = comparisons().order_by("-id")
    return (rows.exclude(finished_at=None) if finished else rows).first()


def difference(difference_id: uuid.UUID) -> Difference:
    """One difference. Raises DifferenceMissing."""
    found = Difference.objects.filter(pk=difference_id).first()
    if found is None:
        raise DifferenceMissing
    return found


def open_differences() -> QuerySet[Difference]:
    """What the last finished comparison found and nobody has mended."""
    last = last_comparison(finished=True)
    return (
        Difference.objects.filter(comparison=last, healed_at=None)
        if last
        else (Difference.objects.none())
    )


def as_id(text: str) -> set[uuid.UUID]:
    """The id that ``text`` is; empty when it is none: others write metadata too."""
    try:
        return {uuid.UUID(text)}
    except ValueError:
        return set()


def _read(
    key: str, at: datetime, metadata: dict[str, str], reference: str, currency: str, amount: int
) -> list[Booked]:
    kind = _KINDS.get(key.partition(":")[0])
    payment_ids = as_id(metadata.get("paymentId", ""))
    references = as_id(reference.partition(":")[2])
    if kind is None or not payment_ids or not references:
        return []
    refund_id = next(iter(as_id(metadata.get("refundId", ""))), None)
    (payment_id,), (ordered,) = payment_ids, references
    return [Booked(kind, currency, abs(amount), at, payment_id, ordered, refund_id=refund_id)]


def _with_refs(rows: list[Booked]) -> list[Booked]:
    """``rows`` with the gateway's ids of them."""
    payments = Payment.objects.only("gateway_ref").in_bulk({row.payment_id for row in rows})
    refunds = Refund.objects.only("gateway_ref").in_bulk(
        {row.refund_id for row in rows if row.refund_id}
    )
    refs = {pk: payment.gateway_ref for pk, payment in payments.items()}
    refs |= {pk: refund.gateway_ref for pk, refund in refunds.items()}
    return [
        Booked(
            row.kind,
            row.currency,
            row.amount,
            row.at,
            row.payment_id,
            row.reference,
            refs.get(row.refund_id or row.payment_id, ""),
            row.refund_id,
        )
        for row in rows
    ]
