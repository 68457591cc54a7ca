"""What a refund would do, before anybody asks for it. No effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markethall.flows import fulfilment
from markethall.flows.refund_lines import RefundedLine, parts_of
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.payments.models import PaymentStatus
from markethall.kernel.money import Money, proportion
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders.models import Order


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """``left`` can be given back at most. For giving back ``amount``, ``credits_due`` are due
    back, of which ``credits_unspent`` can still be had."""

    left: Money
    amount: Money
    credits_due: int
    credits_unspent: int


def terms_of(
    order: Order,
    amount: int | None = None,
    *,
    lines: Sequence[RefundedLine] = (),
    shipping: bool = False,
) -> RefundTerms:
    """What giving back lines, the shipping, or ``amount`` minor units of an order (all that is
    left when none is named) does. Raises Invalid for pieces that there are not."""
    payment = order.payment
    paid = payment is not None and payment.status == PaymentStatus.SUCCEEDED
    left = payment.amount - payment.refunded if payment and paid else 0
    if paid and (lines or shipping):
        parts = parts_of(order, lines, shipping=shipping, left=left)
        amount = sum(part.amount for part in parts)
    wanted = left if amount is None else min(amount, left)
    due = 0
    if wanted > 0 and order.total:
        before, after = order.refunded, min(order.refunded + wanted, order.total)
        for line in order.lines.filter(kind=LineKind.CREDITS):
            units = fulfilment.of_kind(line.kind).units(line)
            due += proportion(units, after, order.total) - proportion(units, before, order.total)
    had = balance_of(order.customer_id).balance if order.customer_id and due else 0
    return RefundTerms(
        left=Money(left, order.currency),
        amount=Money(max(0, wanted), order.currency),
        credits_due=due,
        credits_unspent=max(0, min(due, had)),
    )
