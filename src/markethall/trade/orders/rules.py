"""Pure rules of orders: which moves of state there are, and what lines add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders.errors import EmptyOrder, MixedCurrencies
from markethall.trade.orders.models import OrderStatus as S

MOVES: dict[S, frozenset[S]] = {
    S.PENDING: frozenset({S.PROCESSING, S.PAYMENT_FAILED, S.PAID, S.CANCELLED}),
    S.PROCESSING: frozenset({S.PAYMENT_FAILED, S.PAID, S.CANCELLED}),
    S.PAYMENT_FAILED: frozenset({S.PENDING, S.PROCESSING, S.PAID, S.CANCELLED}),
    S.PAID: frozenset({S.FULFILLED, S.REFUNDED}),
    S.FULFILLED: frozenset({S.SHIPPED, S.REFUNDED}),
    S.SHIPPED: frozenset({S.DELIVERED, S.REFUNDED}),
    S.DELIVERED: frozenset({S.REFUNDED}),
    S.CANCELLED: frozenset(),
    S.REFUNDED: frozenset(),
}

PAYABLE = frozenset({S.PENDING, S.PROCESSING, S.PAYMENT_FAILED})

# What staff move by hand. Paid, fulfilled and refunded follow from money alone.
BY_HAND = frozenset({S.SHIPPED, S.DELIVERED, S.CANCELLED})


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with the price the server gave it. ``discount`` is its part of the order's, ``tax``
    of what is left then. ``tax_added`` is what of the tax comes on top; left out where all of the
    order's does, or none. ``data`` is what its kind needs."""

    kind: LineKind
    item: str
    name: str
    quantity: int
    unit: Money
    data: Mapping[str, Any] = field(default_factory=dict)
    discount: int = 0
    tax: int = 0
    tax_basis_points: int = 0
    tax_added: int | None = None

    @property
    def total(self) -> Money:
        return self.unit * self.quantity


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order of goods costs beyond its lines, and where it goes. Amounts in minor units;
    the fields are the order's."""

    shipping: int = 0
    tax: int = 0
    tax_added: int = 0
    taxes: Sequence[Mapping[str, Any]] = ()
    voucher: str = ""
    shipping_method: str = ""
    shipping_address: Mapping[str, str] | None = None
    billing_address: Mapping[str, str] | None = None
    customer_note: str = ""


NO_TERMS = Terms()


def added_tax(line: PricedLine, terms: Terms) -> int:
    """What of a line's tax comes on top of its price."""
    if line.tax_added is not None:
        return line.tax_added
    return line.tax if terms.tax_added and terms.tax_added == terms.tax else 0


def moves_by_hand(kinds: Iterable[str]) -> frozenset[S]:
    """What staff may move an order of lines of these ``kinds`` to: only goods are sent, and
    arrive."""
    return BY_HAND if LineKind.GOODS in set(kinds) else BY_HAND - {S.SHIPPED, S.DELIVERED}


def can_move(origin: str, to: str) -> bool:
    """Whether an order may go from ``origin`` to ``to``."""
    return S(to) in MOVES[S(origin)]


def total_of(lines: Sequence[PricedLine]) -> Money:
    """What ``lines`` cost together. Raises EmptyOrder and MixedCurrencies."""
    if not lines:
        raise EmptyOrder
    if len({line.unit.currency for line in lines}) > 1:
        raise MixedCurrencies("Order what is priced in different currencies separately.")
    return Money(sum(line.total.amount for line in lines), lines[0].unit.currency)
