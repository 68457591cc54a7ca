"""Sales figures, for staff."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Query

from markethall.flows.sales import Sales, Turnover, sales_of
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import Asked, Money, Out, problems
from markethall.kernel import money

routes = router("analytics")

Shop = Literal["", "plushify", "mybeing", "elysium", "market"]


class Span(Asked):
    days: int = Field(30, ge=1, le=366, description="How many days, today included.")
    storefront: Shop = Field("", description="One storefront, or all.")


class TurnoverOut(Out):
    """``revenue`` is what was paid, ``net`` without what went back; ``average`` is of an order."""

    revenue: Money
    refunded: Money
    net: Money
    average: Money
    orders: int

    @classmethod
    def of(cls, turnover: Turnover) -> TurnoverOut:
        return cls(
            revenue=Money.of(turnover.revenue),
            refunded=Money.of(turnover.refunded),
            net=Money.of(turnover.net),
            average=Money.of(turnover.average),
            orders=turnover.orders,
        )


class BestSellerOut(Out):
    item: str
    name: str
    pieces: int
    orders: int
    revenue: Money


class DashboardOut(Out):
    """``toPack`` and ``toShip`` count up to 999."""

    since: date
    until: date
    turnovers: list[TurnoverOut]
    orders_by_status: dict[str, int]
    to_pack: int
    to_ship: int
    best_sellers: list[BestSellerOut]


class RevenueDay(Out):
    day: date
    revenue: Money
    refunded: Money
    orders: int


class RevenueOut(Out):
    """One row a day and currency, the oldest first; days on which nothing went are there too."""

    turnovers: list[TurnoverOut]
    days: list[RevenueDay]


class OrderDay(Out):
    day: date
    paid: int
    refunds: int


class OrderFigures(Out):
    orders_by_status: dict[str, int]
    days: list[OrderDay]
    to_pack: int
    to_ship: int


class ProductFigures(Out):
    items: list[BestSellerOut]


_reads_money = staff(Permission.PAYMENTS_READ)
_reads_orders = staff(Permission.ORDERS_READ)


@routes.get(
    "/dashboard", auth=_reads_money, response={200: DashboardOut, **problems(401, 403, 422)}
)
def dashboard(request: HttpRequest, span: Query[Span]) -> Any:
    """What came in, what went back, and what waits."""
    sales = _sales(span)
    return DashboardOut(
        since=sales.days[0],
        until=sales.days[-1],
        turnovers=[TurnoverOut.of(each) for each in sales.turnovers],
        orders_by_status=sales.states,
        to_pack=sales.to_pack.number,
        to_ship=sales.to_ship.number,
        best_sellers=_best(sales),
    )


@routes.get("/revenue", auth=_reads_money, response={200: RevenueOut, **problems(401, 403, 422)})
def revenue(request: HttpRequest, span: Query[Span]) -> Any:
    """Money by day."""
    sales = _sales(span)
    days = []
    for turnover in sales.turnovers:
        currency = turnover.revenue.currency
        columns = zip(
            sales.days,
            sales.amounts(sales.sold, currency),
            sales.amounts(sales.given_back, currency),
            strict=True,
        )
        numbers = {e.day: e.number for e in sales.sold if e.currency == currency}
        days += [
            RevenueDay(
                day=day,
                revenue=Money(amount=came, currency=currency),
                refunded=Money(amount=went, currency=currency),
                orders=numbers.get(day, 0),
            )
            for day, came, went in columns
        ]
    turnovers = [TurnoverOut.of(each) for each in sales.turnovers]
    return RevenueOut(turnovers=turnovers, days=sorted(days, key=lambda each: each.day))


@routes.get("/orders", auth=_reads_orders, response={200: OrderFigures, **problems(401, 403, 422)})
def orders(request: HttpRequest, span: Query[Span]) -> Any:
    """Orders by state and by day."""
    sales = _sales(span)
    columns = zip(
        sales.days, sales.numbers(sales.sold), sales.numbers(sales.given_back), strict=True
    )
    return OrderFigures(
        orders_by_status=sales.states,
        days=[OrderDay(day=day, paid=paid, refunds=back) for day, paid, back in columns],
        to_pack=sales.to_pack.number,
        to_ship=sales.to_ship.number,
    )


@routes.get(
    "/products", auth=_reads_orders, response={200: ProductFigures, **problems(401, 403, 422)}
)
def products(request: HttpRequest, span: Query[Span]) -> Any:
    """What is bought most, by pieces."""
    return ProductFigures(items=_best(_sales(span)))


def _sales(span: Span) -> Sales:
    return sales_of(days=span.days, storefront=span.storefront)


def _best(sales: Sales) -> list[BestSellerOut]:
    return [
        BestSellerOut(
            item=each.item,
            name=each.name,
            pieces=each.pieces,
            orders=each.orders,
            revenue=Money.of(money.Money(int(each.amount), each.currency)),
        )
        for each in sales.best
    ]
