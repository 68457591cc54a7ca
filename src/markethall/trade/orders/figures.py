"""What orders add up to, by day, currency, state and piece. One statement each, whatever there is.

Days are UTC. An order counts on the day it was paid, a refund on the day it went.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

_SOLD = """
SELECT (paid_at AT TIME ZONE 'UTC')::date, currency, count(*), sum(total)::bigint
  FROM orders_order
 WHERE paid_at >= %(since)s AND (%(shop)s = '' OR storefront = %(shop)s)
 GROUP BY 1, 2 ORDER BY 1, 2
"""
_BACK = """
SELECT (r.settled_at AT TIME ZONE 'UTC')::date, p.currency, count(*), sum(r.amount)::bigint
  FROM payments_refund r
  JOIN payments_payment p ON p.id = r.payment_id
  JOIN orders_order o ON o.payment_id = p.id
 WHERE r.status = 'succeeded' AND r.settled_at >= %(since)s
   AND (%(shop)s = '' OR o.storefront = %(shop)s)
 GROUP BY 1, 2 ORDER BY 1, 2
"""
_BEST = """
SELECT l.item, max(l.name), o.currency, sum(l.quantity)::bigint, count(DISTINCT o.id),
       sum(l.total - l.discount)::bigint
  FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
 WHERE o.paid_at >= %(since)s AND (%(shop)s = '' OR o.storefront = %(shop)s)
 GROUP BY l.item, o.currency ORDER BY sum(l.quantity) DESC, l.item LIMIT %(most)s
"""
_STATES = """
SELECT status, count(*) FROM orders_order
 WHERE created_at >= %(since)s AND id >= %(floor)s AND (%(shop)s = '' OR storefront = %(shop)s)
 GROUP BY status ORDER BY status
"""


@dataclass(frozen=True, slots=True)
class DaySum:
    """So many orders or refunds of a day in one currency, over ``amount`` minor units."""

    day: date
    currency: str
    number: int
    amount: int


@dataclass(frozen=True, slots=True)
class BestSeller:
    """``pieces`` of one thing in ``orders`` orders, for ``amount`` minor units."""

    item: str
    name: str
    currency: str
    pieces: int
    orders: int
    amount: int


def sold_by_day(*, since: datetime, storefront: str = "") -> list[DaySum]:
    """Orders that were paid, at their totals."""
    return [DaySum(*row) for row in _rows(_SOLD, since=since, shop=storefront)]


def given_back_by_day(*, since: datetime, storefront: str = "") -> list[DaySum]:
    """Refunds of them that went."""
    return [DaySum(*row) for row in _rows(_BACK, since=since, shop=storefront)]


def best_sellers(*, since: datetime, storefront: str = "", most: int = 10) -> list[BestSeller]:
    """What was bought most, by pieces."""
    return [BestSeller(*row) for row in _rows(_BEST, since=since, shop=storefront, most=most)]


def orders_by_state(*, since: datetime, floor: object, storefront: str = "") -> dict[str, int]:
    """How many orders placed since then are in which state. ``floor`` is the lowest id of then."""
    return dict(_rows(_STATES, since=since, shop=storefront, floor=floor))


def _rows(statement: str, **values: object) -> Sequence[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
