"""Who changes their mind at the checkout while others do, and who signs in on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from house.cart import HOME, Visitor, check_out, make_ring, put_in
from house.parallel import together
from house.people import ApiClient, client_for, make_user
from house.till import books_are_right
from markethall.flows.arrival import arrive
from markethall.kernel import clock
from markethall.kernel.ids import digest
from markethall.trade.catalog.models import Product
from markethall.trade.inventory.models import StockItem
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.vouchers.models import Voucher, VoucherUse

pytestmark = pytest.mark.usefixtures("till")
_ROUNDS = 4
_BODY = {"shippingAddress": HOME, "shippingMethod": "insured"}
_HERE = {"X-Storefront": "elysium"}


def _changing(client: ApiClient, rings: Sequence[Product], codes: Sequence[str]) -> list[int]:
    """Order one ring with one code, then the other with the other, over and over."""
    answers = []
    for turn in range(_ROUNDS * 2):
        client.delete("/api/cart", headers=_HERE)
        put_in(client, rings[turn % 2])
        code = {"code": codes[turn % 2]}
        assert client.post("/api/cart/voucher", code, headers=_HERE).status_code == 200
        answers.append(client.post("/api/checkout", _BODY).status_code)
    return answers


@pytest.mark.django_db(transaction=True)
def test_whoever_goes_from_one_to_the_other_meets_who_goes_the_other_way() -> None:
    rings = [make_ring("aurore", stock=50), make_ring("nova", stock=50)]
    for code in ("ONE", "TWO"):
        Voucher.objects.create(
            storefront="elysium",
            code=code,
            kind="percentage",
            basis_points=1000,
            created_at=clock.now(),
        )
    acts: list[Any] = []
    for place in range(4):
        client, step = client_for(make_user()), -1 if place % 2 else 1
        codes = ["ONE", "TWO"][:: 1 if place < 2 else -1]
        acts.append(lambda c=client, r=rings[::step], v=codes: _changing(c, r, v))
    assert together(acts) == [[201] * _ROUNDS * 2] * 4
    assert Order.objects.filter(status=OrderStatus.PENDING).count() == 4
    assert VoucherUse.objects.count() == sum(Voucher.objects.values_list("used", flat=True)) == 4
    assert sum(StockItem.objects.values_list("reserved", flat=True)) == 4


@pytest.mark.django_db
def test_a_guest_who_signs_in_orders_the_same_again_as_themselves() -> None:
    ring, ada = make_ring(), make_user(email="ada@example.com")
    guest = Visitor()
    put_in(guest, ring)
    first = check_out(guest, email="ada@example.com")
    arrive(ada, digest(guest.secret))
    second = check_out(client_for(ada))
    assert Order.objects.get(pk=first["orderId"]).status == OrderStatus.CANCELLED
    assert Order.objects.get(pk=second["orderId"]).customer_id == ada.pk
    assert StockItem.objects.get(variant__sku="AURORE-GOLD").reserved == 1
    assert books_are_right()
