"""Refunds as documents, and what is asked for."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from ninja import Field

from markethall.flows.refund_lines import RefundedLine
from markethall.foundation.payments.models import Refund
from markethall.interfaces.api.schemas import In, Money, Out, Time
from markethall.trade.orders.models import RefundLine, TakeBack


class MoneyIn(In):
    amount: int = Field(gt=0)
    currency: str = Field(min_length=3, max_length=3)


class RefundedLineIn(In):
    """So many pieces of a line; with ``restock`` they go back to stock."""

    line_id: UUID
    quantity: int = Field(ge=1, le=100_000)
    restock: bool = True


class RefundOrderIn(In):
    """Pieces of ``lines``, for their exact share of what was paid, and with ``shipping`` what is
    left of that; or an ``amount`` in minor units, or with its currency, for which no piece comes
    back; or everything that is left, without any of them."""

    amount: int | MoneyIn | None = None
    lines: list[RefundedLineIn] = Field([], max_length=200)
    shipping: bool = False
    reason: str = Field(min_length=1, max_length=500)


class RefundIn(RefundOrderIn):
    order_id: UUID | None = None
    payment_id: UUID | None = None


class TakenBack(Out):
    """What was taken back of one line, in its units; ``missing`` had been spent."""

    item: str
    due: int
    taken: int
    missing: int


class RefundedLineOut(Out):
    """Without ``lineId`` it is of the shipping. ``restock`` pieces of ``quantity`` go to stock."""

    line_id: UUID | None
    quantity: int
    restock: int
    amount: Money


class RefundOut(Out):
    id: UUID
    order_id: UUID
    payment_id: UUID
    status: Literal["requested", "succeeded", "failed"]
    amount: Money
    reason: str
    failure: str
    lines: list[RefundedLineOut]
    taken_back: list[TakenBack]
    created_at: Time

    @classmethod
    def of(cls, refund: Refund) -> RefundOut:
        return show_refunds([refund])[0]

    @classmethod
    def with_taken(
        cls, refund: Refund, taken: list[TakeBack], lines: list[RefundLine]
    ) -> RefundOut:
        return cls(
            id=refund.pk,
            order_id=refund.payment.reference,
            payment_id=refund.payment_id,
            status=refund.status,
            amount=Money.of(refund.money),
            reason=refund.reason,
            failure=refund.failure,
            lines=[
                RefundedLineOut(
                    line_id=row.line_id,
                    quantity=row.quantity,
                    restock=row.restock,
                    amount=Money(amount=row.amount, currency=refund.payment.currency),
                )
                for row in lines
            ],
            taken_back=[
                TakenBack(
                    item=row.line.item, due=row.due, taken=row.taken, missing=row.due - row.taken
                )
                for row in taken
            ],
            created_at=refund.created_at,
        )


def show_refunds(refunds: list[Refund]) -> list[RefundOut]:
    """Refunds as documents, with their lines and what they took back in one query each."""
    rows = TakeBack.objects.filter(refund__in=refunds).select_related("line").order_by("pk")
    taken: dict[UUID, list[TakeBack]] = {refund.pk: [] for refund in refunds}
    for row in rows:
        taken[row.refund_id].append(row)
    lines: dict[UUID, list[RefundLine]] = {refund.pk: [] for refund in refunds}
    for named in RefundLine.objects.filter(refund__in=refunds).order_by("pk"):
        lines[named.refund_id].append(named)
    return [RefundOut.with_taken(refund, taken[refund.pk], lines[refund.pk]) for refund in refunds]


def lines_of(body: RefundOrderIn) -> list[RefundedLine]:
    """The lines that a body names."""
    return [RefundedLine(each.line_id, each.quantity, each.restock) for each in body.lines]
