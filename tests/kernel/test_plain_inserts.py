"""Rows written by one statement."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from house.people import make_user
from markethall.foundation.audit.models import AuditEntry
from markethall.kernel import clock
from markethall.kernel.rows import insert
from markethall.trade.cart.models import Cart, CartOrder

pytestmark = pytest.mark.django_db


def _cart(**fields: object) -> Cart:
    now = clock.now()
    return Cart(
        storefront="elysium", currency="EUR", **{"created_at": now, "updated_at": now, **fields}
    )


def _order(cart: Cart) -> CartOrder:
    return CartOrder(cart=cart, reference=uuid.uuid4(), mark="x", placed_at=clock.now())


def test_rows_that_refer_to_one_another_take_one_statement() -> None:
    cart = _cart(user=make_user())
    orders = [_order(cart), _order(cart)]
    with CaptureQueriesContext(connection) as queries:
        insert(cart, *orders)
    assert len(queries) == 1
    assert {cart.pk} == set(Cart.objects.values_list("pk", flat=True))
    assert {order.pk for order in orders} == set(CartOrder.objects.values_list("pk", flat=True))
    assert Cart.objects.get() == cart
    cart.currency = "USD"
    cart.save()  # it is known to be there
    assert Cart.objects.get().currency == "USD"


def test_all_kinds_of_values_come_back_as_they_went() -> None:
    entry = AuditEntry(
        action="test.rows", actor_id=None, data={"a": [1, None, "é"]}, at=clock.now()
    )
    insert(entry)
    kept = AuditEntry.objects.get(pk=entry.pk)
    assert (kept.action, kept.actor_id, kept.data, kept.at) == (
        entry.action, None, entry.data, entry.at,
    )  # fmt: skip


def test_one_that_breaks_a_rule_keeps_all_out() -> None:
    cart = _cart(user=make_user())
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(cart, _order(cart), _cart(user=cart.user))
    assert not Cart.objects.exists()
    assert not CartOrder.objects.exists()


def test_nothing_is_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        insert()
    assert not queries
