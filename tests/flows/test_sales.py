"""Sales figures: on the page, over the API, and by as many statements as ever."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from house.after import bought, placed
from house.people import client_for, make_user, page_client
from house.shelf import line_of, on_shelf
from markethall.flows.order_parcels import pack
from markethall.flows.refunds import refund_order
from markethall.flows.sales import sales_of

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


def test_what_was_sold_given_back_and_waits(django_assert_num_queries: Any) -> None:
    ring, band = on_shelf(50, price=10_000), on_shelf(50, price=2_000)
    first = bought(None, line_of(ring, 2, 10_000), line_of(band, 1, 2_000))
    packed = bought(None, line_of(band, 4, 2_000))
    placed(None, line_of(ring, 9, 10_000))
    refund_order(order_id=first.pk, amount=5_000, reason="A scratch", actor_id=uuid.uuid4())
    pack(order_id=packed.pk, actor_id=uuid.uuid4())
    client = client_for(make_user(role="finance"))
    found = client.get("/api/analytics/dashboard?storefront=elysium").json()
    (turnover,) = found["turnovers"]
    assert turnover["revenue"] == {"amount": 30_000, "currency": "USD"}
    assert turnover["net"]["amount"] == 25_000
    assert (turnover["average"]["amount"], turnover["orders"]) == (15_000, 2)
    assert (found["toPack"], found["toShip"]) == (1, 1)
    assert found["ordersByStatus"] == {"PAID": 1, "FULFILLED": 1, "PENDING": 1}
    best = client.get("/api/analytics/products").json()["items"]
    assert [(each["item"], each["pieces"], each["orders"]) for each in best] == [
        (band.sku, 5, 2),
        (ring.sku, 2, 1),
    ]
    days = client.get("/api/analytics/revenue?days=7").json()["days"]
    assert len(days) == 7
    assert (days[-1]["revenue"]["amount"], days[-1]["refunded"]["amount"]) == (30_000, 5_000)
    numbers = client.get("/api/analytics/orders?days=1").json()["days"]
    assert [(day["paid"], day["refunds"]) for day in numbers] == [(2, 1)]
    assert client.get("/api/analytics/revenue?days=0").status_code == 422
    assert client.get("/api/analytics/dashboard?storefront=plushify").json()["turnovers"] == []
    page = page_client(make_user(role="finance")).get("/console/sales?storefront=elysium")
    text = page.content.decode()
    assert "$300.00" in text
    assert "What do we sell in USD?" in text
    with django_assert_num_queries(6):
        sales_of(days=30)
