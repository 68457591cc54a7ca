"""P9: how many SQL statements an order takes, from the cart to its settled payment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.cart import cart_of, check_out, make_ring, put_in
from house.people import client_for, make_user
from house.till import post_event, press, told
from markethall.flows.settlement_batch import settle_inbox
from markethall.trade.orders.models import Order, OrderStatus

_SHOPPERS = 6
# At most so many for each of these orders together, and for one alone.
TOGETHER, ALONE = 19, 32
# Not counted: where a transaction begins and ends, and what the sandbox gateway, in whose place
# another's system stands, keeps for itself.
_APART = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def asked(act: Callable[[], Any]) -> list[str]:
    """The statements of ``act``."""
    with CaptureQueriesContext(connection) as queries:
        act()
    statements = [" ".join(query["sql"].split()) for query in queries.captured_queries]
    return [
        each
        for each in statements
        if not each.startswith(_APART) and '"payments_sandbox' not in each.partition("WHERE")[0]
    ]


def bought(shopper: Any, ring: Any) -> tuple[list[str], list[str], dict[str, Any]]:
    """The statements of putting a ring in, and of checking out; and what was started."""
    put = asked(lambda: put_in(shopper, ring, 2))
    started: dict[str, Any] = {}
    checked = asked(lambda: started.update(check_out(shopper)))
    return put, checked, started


@pytest.fixture
def shoppers(till: None) -> list[Any]:
    """Who has bought before: the token's first use is recorded, and the gateway meets its customer,
    once."""
    ring = make_ring("first", stock=100)
    shoppers = [client_for(make_user()) for _ in range(_SHOPPERS)]
    for shopper in shoppers:
        press(bought(shopper, ring)[2])
        for event in told():
            post_event(event)
        settle_inbox()
    return shoppers


@pytest.mark.django_db(transaction=True)
def test_an_order_takes_few_statements(shoppers: list[Any]) -> None:
    ring = make_ring(stock=100)
    bought(client_for(make_user()), ring)
    counts: dict[str, int] = {}
    orders = []
    for shopper in shoppers:
        put, checked, started = bought(shopper, ring)
        counts["cart"], counts["checkout"] = len(put), len(checked)
        press(started)
        orders.append(started)
    events = told()
    first, *others = [asked(lambda e=event: post_event(e)) for event in events]
    counts["webhook"] = max(len(each) for each in others)
    assert len(first) <= 3
    counts["settlement"] = len(asked(settle_inbox))
    for started in orders:
        assert Order.objects.get(pk=started["orderId"]).status == OrderStatus.PAID
    assert all(cart_of(shopper)["lines"] == [] for shopper in shoppers)
    each = sum(counts.values()) - counts["settlement"] + counts["settlement"] / _SHOPPERS
    assert each <= TOGETHER, (each, counts)


@pytest.mark.django_db(transaction=True)
def test_an_order_alone_takes_few_statements(shoppers: list[Any]) -> None:
    ring = make_ring(stock=100)
    bought(shoppers[0], ring)
    put, checked, started = bought(shoppers[1], ring)
    press(started)
    (event,) = told()
    parts = [put, checked, asked(lambda: post_event(event)), asked(settle_inbox)]
    assert Order.objects.get(pk=started["orderId"]).status == OrderStatus.PAID
    assert sum(len(part) for part in parts) <= ALONE, [len(part) for part in parts]
