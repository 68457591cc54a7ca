"""How two lists of the same money are compared. No effects."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from markethall.foundation.payments.gateways.base import Movement, MovementKind
from markethall.foundation.reconciliation.models import Reason

EXPLANATIONS = {
    Reason.NOT_BOOKED: "The gateway was paid, and the order does not know. Heal it: the gateway is"
    " asked once more, and the order is paid and fulfilled. Money of another amount than was asked"
    " for is given back or accepted at the payment.",
    Reason.CHARGED_TWICE: "The customer was charged a second time for the same payment. Give the"
    " second charge back on the gateway's own pages.",
    Reason.OTHER_AMOUNT: "The gateway was paid another amount than was asked for. Nothing was"
    " fulfilled for it. Look at both, and give it back on the gateway's own pages.",
    Reason.UNKNOWN_CHARGE: "No payment of ours belongs to this charge. It was made by hand at the"
    " gateway, or by another application with the same account.",
    Reason.NOT_AT_GATEWAY: "Our books have this payment, and the gateway does not know that it was"
    " paid. Heal it to ask once more; if that finds nothing, correct the books with a reason.",
    Reason.REFUND_NOT_BOOKED: "The gateway has given money back, and our books have not. Heal it:"
    " the refund is booked, and what was bought is taken back.",
    Reason.REFUND_OTHER_AMOUNT: "The gateway has given back another amount than our books say.",
    Reason.UNKNOWN_REFUND: "The refund of a charge that is not ours.",
    Reason.REFUND_NOT_AT_GATEWAY: "Our books say the money went back, and the gateway has no such"
    " refund. Look at the payment on the gateway's own pages.",
}
# What asking the gateway once more can mend.
HEALABLE = frozenset({Reason.NOT_BOOKED, Reason.NOT_AT_GATEWAY, Reason.REFUND_NOT_BOOKED})


@dataclass(frozen=True, slots=True)
class Known:
    """A payment of ours, as far as comparing needs it."""

    payment_id: uuid.UUID
    reference: uuid.UUID


@dataclass(frozen=True, slots=True)
class Booked:
    """A charge or refund as the ledger has it: a positive amount, posted ``at``. ``ref`` is the
    gateway's id of the refund, of the payment for a charge."""

    kind: MovementKind
    currency: str
    amount: int
    at: datetime
    payment_id: uuid.UUID
    reference: uuid.UUID
    ref: str = ""
    refund_id: uuid.UUID | None = None

    @property
    def id(self) -> uuid.UUID:
        """The refund's, or the payment's for a charge."""
        return self.refund_id or self.payment_id


@dataclass(frozen=True, slots=True)
class Item:
    """One difference: ``there`` and ``here`` in minor units, None where that side has nothing."""

    reason: Reason
    currency: str
    day: date
    ref: str
    payment_ref: str = ""
    payment_id: uuid.UUID | None = None
    refund_id: uuid.UUID | None = None
    reference: uuid.UUID | None = None
    there: int | None = None
    here: int | None = None


@dataclass(slots=True)
class Totals:
    """What moved on one day in one currency, in minor units."""

    charged_there: int = 0
    refunded_there: int = 0
    charged_here: int = 0
    refunded_here: int = 0


@dataclass(slots=True)
class Report:
    """The two sides of one gateway: totals by (currency, day), and the single differences."""

    days: dict[tuple[str, date], Totals] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pair:
    """A movement with its ledger entry, if it has one. ``again`` when another movement has it."""

    moved: Movement
    mine: Booked | None
    payment: Known | None
    again: bool


def pair(
    movements: Iterable[Movement], booked: Sequence[Booked], known: Mapping[str, Known]
) -> tuple[list[Pair], list[Booked]]:
    """The gateway's movements with the ledger's entries for them, and the entries left over.

    ``known`` finds a payment by the gateway's references of it, and by our id.
    """
    charges = {row.payment_id: row for row in booked if row.kind == MovementKind.CHARGE}
    by_ref = {row.ref: row for row in booked if row.kind == MovementKind.REFUND and row.ref}
    by_id = {str(row.refund_id): row for row in booked if row.kind == MovementKind.REFUND}
    used: set[uuid.UUID] = set()
    pairs = []
    for moved in movements:
        payment = known.get(moved.payment_ref) or known.get(moved.payment_id)
        if moved.kind == MovementKind.CHARGE:
            mine = charges.get(payment.payment_id) if payment else None
        else:
            mine = by_ref.get(moved.ref) or by_id.get(moved.refund_id)
        again = mine is not None and mine.id in used
        if mine:
            used.add(mine.id)
        pairs.append(Pair(moved, None if again else mine, payment, again))
    return pairs, [row for row in booked if row.id not in used]


def compare(pairs: Iterable[Pair], left: Iterable[Booked]) -> Report:
    """What differs. A pair counts for the gateway's day on both sides, so that what was settled
    late is no difference."""
    report = Report()
    for one in pairs:
        _add(report, one)
    for row in left:
        _add_unmatched(report, row)
    return report


def _add(report: Report, one: Pair) -> None:
    moved, mine, payment = one.moved, one.mine, one.payment
    day = moved.at.astimezone(UTC).date()
    is_charge = moved.kind == MovementKind.CHARGE
    _count(report, moved.money.currency, day, is_charge, there=moved.money.amount)
    if mine:
        _count(report, mine.currency, day, is_charge, here=mine.amount)
        if (mine.amount, mine.currency) == (moved.money.amount, moved.money.currency):
            return
    report.items.append(
        Item(
            reason=_reason(one, is_charge=is_charge),
            currency=moved.money.currency,
            day=day,
            ref=moved.ref,
            payment_ref=moved.payment_ref,
            payment_id=payment.payment_id if payment else None,
            refund_id=mine.refund_id if mine else None,
            reference=payment.reference if payment else None,
            there=moved.money.amount,
            here=mine.amount if mine else None,
        )
    )


def _add_unmatched(report: Report, row: Booked) -> None:
    day = row.at.astimezone(UTC).date()
    is_charge = row.kind == MovementKind.CHARGE
    _count(report, row.currency, day, is_charge, here=row.amount)
    report.items.append(
        Item(
            reason=Reason.NOT_AT_GATEWAY if is_charge else Reason.REFUND_NOT_AT_GATEWAY,
            currency=row.currency,
            day=day,
            ref=row.ref,
            payment_ref=row.ref if is_charge else "",
            payment_id=row.payment_id,
            refund_id=row.refund_id,
            reference=row.reference,
            here=row.amount,
        )
    )


def _reason(one: Pair, *, is_charge: bool) -> Reason:
    if one.mine:
        return Reason.OTHER_AMOUNT if is_charge else Reason.REFUND_OTHER_AMOUNT
    if one.payment is None:
        return Reason.UNKNOWN_CHARGE if is_charge else Reason.UNKNOWN_REFUND
    if is_charge:
        return Reason.CHARGED_TWICE if one.again else Reason.NOT_BOOKED
    return Reason.REFUND_NOT_BOOKED


def _count(
    report: Report, currency: str, day: date, is_charge: bool, *, there: int = 0, here: int = 0
) -> None:
    totals = report.days.setdefault((currency, day), Totals())
    if is_charge:
        totals.charged_there += there
        totals.charged_here += here
    else:
        totals.refunded_there += there
        totals.refunded_here += here
