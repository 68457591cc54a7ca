from __future__ import annotations

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from house.cart import make_ring
from house.parallel import together
from house.people import make_user
from markethall.kernel.locking import lock
from markethall.trade.cart import rules
from markethall.trade.cart.actions import add_line
from markethall.trade.cart.errors import CartFull
from markethall.trade.cart.models import Cart, CartLine
from markethall.trade.cart.rules import Owner

_WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"


@pytest.mark.django_db(transaction=True)
def test_what_is_put_in_at_once_passes_no_limit() -> None:
    ring, owner = make_ring(), Owner(user_id=make_user().pk)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def put(engraving: str) -> Cart:
        chosen = {"metal": "gold", "engraving": engraving}
        return add_line(owner=owner, product=ring, configuration=chosen, currency="USD")

    words = [first + second for first in "AB" for second in letters]
    for word in words[: rules.MAX_LINES - 1]:
        put(word)
    is_held = threading.Event()

    def hold() -> None:
        """Keep the cart until all the others wait for it."""
        with transaction.atomic(), connection.cursor() as cursor:
            lock(Cart.objects.all())
            is_held.set()
            for _ in range(20_000):
                cursor.execute(_WAITING)
                if cursor.fetchone() == (len(more),):
                    return

    def put_then(word: str) -> Cart:
        is_held.wait(30)
        return put(word)

    more = [f"Z{letter}" for letter in letters[:8]]
    _, *answers = together([hold, *(partial(put_then, word) for word in more)])
    assert sum(isinstance(answer, CartFull) for answer in answers) == 7
    assert sum(isinstance(answer, Cart) for answer in answers) == 1
    assert CartLine.objects.count() == rules.MAX_LINES
    assert put("AA").pk, "more of what is in there fits"
