"""One order as its page and its document show it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markethall.flows.order_cancel import may_call_off
from markethall.kernel.countries import countries
from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders import rules
from markethall.trade.orders.models import Order, OrderLine, OrderMove, OrderStatus
from markethall.trade.orders.pieces import Pieces, pieces_of
from markethall.trade.shipping.models import Shipment


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel, its number within the order, and how many pieces of which line lie in it."""

    row: Shipment
    number: int
    contents: Sequence[tuple[OrderLine, int]]


@dataclass(frozen=True, slots=True)
class Sum:
    """One line of what an order costs; ``note`` says more about it."""

    label: str
    amount: Money
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """``pieces`` are of the lines that are sent, by line. ``sums`` lead from the lines to the
    total; ``taxes`` state what the prices contain."""

    order: Order
    lines: Sequence[OrderLine]
    pieces: Mapping[uuid.UUID, Pieces]
    parcels: Sequence[Parcel]
    moves: Sequence[OrderMove]
    sums: Sequence[Sum]
    taxes: Sequence[Sum]
    may_call_off: bool

    @property
    def has_goods(self) -> bool:
        return bool(self.pieces)

    @property
    def is_payable(self) -> bool:
        return self.order.status in rules.PAYABLE

    @property
    def is_waiting(self) -> bool:
        """Whether a payment is under way, and may end any moment."""
        return self.order.status in {OrderStatus.PENDING, OrderStatus.PROCESSING}

    @property
    def is_paid(self) -> bool:
        return self.order.paid_at is not None

    @property
    def steps(self) -> Sequence[OrderMove]:
        """The moves from one state to another, without notes: what the buyer sees."""
        return [move for move in self.moves if move.from_status != move.to_status]


def sheet_of(order: Order) -> Sheet:
    """An order with everything about it; as many statements for many lines as for one."""
    lines = list(order.lines.order_by("pk"))
    goods = [line for line in lines if line.kind == LineKind.GOODS]
    return Sheet(
        order=order,
        lines=lines,
        pieces=pieces_of(goods) if goods else {},
        parcels=parcels_of(order, goods) if goods else [],
        moves=list(order.moves.order_by("pk")),
        sums=sums_of(order),
        taxes=taxes_of(order),
        may_call_off=may_call_off(order),
    )


def parcels_of(order: Order, lines: Sequence[OrderLine]) -> list[Parcel]:
    """The parcels of an order, the oldest first."""
    by_id = {line.pk: line for line in lines}
    rows = Shipment.objects.filter(reference=order.pk).order_by("pk").prefetch_related("lines")
    return [
        Parcel(
            row,
            number,
            [
                (by_id[part.line_id], part.quantity)
                for part in row.lines.all()
                if part.line_id in by_id
            ],
        )
        for number, row in enumerate(rows, 1)
    ]


def sums_of(order: Order) -> list[Sum]:
    """What stands between the lines and the total; nothing where the lines are the total."""

    def money(amount: int) -> Money:
        return Money(amount, order.currency)

    sums = []
    if order.discount:
        sums.append(Sum("Discount", money(-order.discount), order.voucher))
    if order.shipping_method or order.shipping:
        sums.append(Sum("Shipping", money(order.shipping), order.shipping_method))
    sums += [
        Sum(rate_of(row), money(row["tax"]), f"on {money(row['net'])}")
        for row in order.taxes
        if not row["isInclusive"]
    ]
    return [Sum("Items", money(order.items_total)), *sums] if sums else []


def taxes_of(order: Order) -> list[Sum]:
    """The taxes that the prices contain, by rate."""
    return [
        Sum(
            rate_of(row),
            Money(row["tax"], order.currency),
            f"on {Money(row['net'], order.currency)} net",
        )
        for row in order.taxes
        if row["isInclusive"]
    ]


def address_lines(address: Mapping[str, str]) -> list[str]:
    """An address as lines, the country by its name."""
    place = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    country = address.get("country", "")
    lines = [
        address.get("name"),
        address.get("company"),
        address.get("line1"),
        address.get("line2"),
        place,
        address.get("region"),
        countries().get(country, country),
    ]
    return [line for line in lines if line]


def rate_of(row: Mapping[str, str | int]) -> str:
    """A rate of taxes as people read it: ``VAT 19 %``."""
    percent = f"{int(row['basisPoints']) / 100:.2f}".rstrip("0").rstrip(".")
    return f"{row['name']} {percent} %"
