"""Plushify's home and pricing."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from house.people import make_user, page_client
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("till")]


def test_home_shows_styles_and_prices_to_anybody(client: Client) -> None:
    page = client.get("/plushify").content.decode()
    for expected in (
        "Cute &amp; fluffy",
        "Minimalist",
        "$4.99",
        "$29.99",
        "10 pictures on the house",
    ):
        assert expected in page


def test_the_best_value_is_the_pack_whose_picture_costs_least(client: Client) -> None:
    page = client.get("/plushify/pricing").content.decode()
    (best,) = re.findall(r"plan--best.*?<h3>(.*?)</h3>", page, re.DOTALL)
    assert best == "500 credits"


def test_a_visitor_who_buys_signs_in_and_comes_back(client: Client) -> None:
    answer = client.post("/plushify/pricing/buy", {"item": "credits-50"})
    assert answer.headers["Location"] == "/login?next=%2Fplushify%2Fpricing"
    assert Order.objects.count() == 0


def test_buying_leads_to_the_gateway_and_a_double_click_is_one_order() -> None:
    ada = make_user()
    browser = page_client(ada)
    form = {"item": "credits-200", "key": "of-this-page-credits-200"}
    first = browser.post("/plushify/pricing/buy", form)
    second = browser.post("/plushify/pricing/buy", form)
    assert first.status_code == 302
    assert "/sandbox/pay/" in first.headers["Location"]
    assert first.headers["Location"] == second.headers["Location"]
    (order,) = Order.objects.all()
    assert (order.customer_id, order.total) == (ada.pk, 1499)


def test_a_pack_that_is_not_for_sale_is_refused() -> None:
    answer = page_client(make_user()).post("/plushify/pricing/buy", {"item": "credits-1"})
    assert answer.status_code == 422
    assert b"There is no offer called" in answer.content
