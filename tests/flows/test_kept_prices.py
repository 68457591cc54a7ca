"""What a cart costs is kept by no one: prices, ways to send and rates change it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.cart import Visitor, cart_of, check_out, make_ring, put_in
from markethall.trade.catalog.models import Option, OptionValue, PriceEffect, ProductPrice
from markethall.trade.shipping.models import ShippingMethod, ShippingPrice
from markethall.trade.taxes.models import TaxRate

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]
_SENT = "?country=DE&shippingMethod=insured"


@pytest.fixture
def guest() -> Visitor:
    guest = Visitor()
    put_in(guest, make_ring(amount=10_000))
    return guest


def _costs(cart: dict[str, Any]) -> tuple[int, int, int, bool]:
    """(goods, shipping, tax, whether it can be bought)."""
    shipping = cart["shipping"]["amount"] if cart["shipping"] else 0
    return cart["itemsTotal"]["amount"], shipping, cart["tax"]["amount"], cart["canBeBought"]


def _doubled(model: Any) -> None:
    for row in model.objects.all():
        row.amount *= 2
        row.save()


def _price() -> None:
    _doubled(ProductPrice)


def _effect() -> None:
    _doubled(PriceEffect)


def _shipping() -> None:
    _doubled(ShippingPrice)


def _not_sent() -> None:
    ShippingMethod.objects.filter(code="insured").update(is_active=False)


def _rate() -> None:
    TaxRate.objects.filter(country="DE").update(basis_points=2500)


def _no_value() -> None:
    OptionValue.objects.filter(code="gold").update(is_active=False)


def _asks_more() -> None:
    Option.objects.filter(code="engraving").update(is_required=True)


@pytest.mark.parametrize(
    ("change", "costs"),
    [
        (_price, (25_000, 1500, 4231, True)),
        (_effect, (20_000, 1500, 3432, True)),
        (_shipping, (15_000, 3000, 2874, True)),
        (_not_sent, (15_000, 0, 2395, True)),
        (_rate, (15_000, 1500, 3300, True)),
        (_no_value, (0, 0, 0, False)),
        (_asks_more, (0, 0, 0, False)),
    ],
)
def test_whatever_decides_a_price_changes_it_at_once(
    guest: Visitor, change: Callable[[], None], costs: tuple[int, int, int, bool]
) -> None:
    for _ in range(2):
        assert _costs(cart_of(guest, _SENT)) == (15_000, 1500, 2634, True)
    change()
    assert _costs(cart_of(guest, _SENT)) == costs


def test_a_price_that_changed_meanwhile_is_ordered_by_nobody_who_saw_another(
    guest: Visitor,
) -> None:
    seen = cart_of(guest, _SENT)["total"]["amount"]
    _price()
    refused = check_out(guest, status=409, email="ada@example.com", seenTotal=seen)
    assert refused["code"] == "total_changed"
    assert refused["quote"]["total"]["amount"] == 26_500


def test_a_cart_is_shown_by_few_statements(guest: Visitor) -> None:
    cart_of(guest, _SENT)
    with CaptureQueriesContext(connection) as asked:
        cart_of(guest, _SENT)
    assert len(asked) == 3
