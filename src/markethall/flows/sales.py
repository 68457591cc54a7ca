"""How the shops sell: what came in, what went back, what is bought most, what waits to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from markethall.kernel import clock
from markethall.kernel.ids import floor_id
from markethall.kernel.money import Money
from markethall.kernel.pagination import Count, count_up_to
from markethall.trade.orders import figures
from markethall.trade.orders.figures import BestSeller, DaySum
from markethall.trade.orders.models import Order
from markethall.trade.orders.queries import filtered


@dataclass(frozen=True, slots=True)
class Turnover:
    """One currency in a span of days; ``average`` is of one order."""

    revenue: Money
    refunded: Money
    orders: int

    @property
    def average(self) -> Money:
        return Money(self.revenue.amount // (self.orders or 1), self.revenue.currency)

    @property
    def net(self) -> Money:
        return self.revenue - self.refunded


@dataclass(frozen=True, slots=True)
class Sales:
    """Everything about a span of ``days``, the last one today."""

    days: Sequence[date]
    turnovers: Sequence[Turnover]
    sold: Sequence[DaySum]
    given_back: Sequence[DaySum]
    states: dict[str, int]
    best: Sequence[BestSeller]
    to_pack: Count
    to_ship: Count

    def amounts(self, sums: Sequence[DaySum], currency: str) -> list[int]:
        """Minor units by day."""
        return [_of(sums, day, currency)[1] for day in self.days]

    def numbers(self, sums: Sequence[DaySum]) -> list[int]:
        """How many by day, in all currencies."""
        return [sum(each.number for each in sums if each.day == day) for day in self.days]


def sales_of(*, days: int, storefront: str = "") -> Sales:
    """The sales of the last ``days`` days, by six statements."""
    today = clock.now().astimezone(UTC).date()
    span = [today - timedelta(days=ago) for ago in reversed(range(days))]
    since = datetime.combine(span[0], time(), UTC)
    sold = figures.sold_by_day(since=since, storefront=storefront)
    back = figures.given_back_by_day(since=since, storefront=storefront)
    waiting = Order.objects.all()
    return Sales(
        days=span,
        turnovers=_turnovers(sold, back),
        sold=sold,
        given_back=back,
        states=figures.orders_by_state(
            since=since, floor=floor_id(since - clock.offset()), storefront=storefront
        ),
        best=figures.best_sellers(since=since, storefront=storefront),
        to_pack=count_up_to(filtered(waiting, storefront=storefront, need="to_pack")),
        to_ship=count_up_to(filtered(waiting, storefront=storefront, need="to_ship")),
    )


def _turnovers(sold: Sequence[DaySum], back: Sequence[DaySum]) -> list[Turnover]:
    currencies = sorted({each.currency for each in (*sold, *back)})
    found = [
        Turnover(
            revenue=Money(sum(e.amount for e in sold if e.currency == currency), currency),
            refunded=Money(sum(e.amount for e in back if e.currency == currency), currency),
            orders=sum(e.number for e in sold if e.currency == currency),
        )
        for currency in currencies
    ]
    return sorted(found, key=lambda each: -each.orders)


def _of(sums: Sequence[DaySum], day: date, currency: str) -> tuple[int, int]:
    for each in sums:
        if each.day == day and each.currency == currency:
            return each.number, each.amount
    return 0, 0
