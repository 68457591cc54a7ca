"""R3 over HTTP: more buyers than pieces, on a hall that runs as ``make run`` runs it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from house.parallel import together
from house.visitors import Visitor
from proofs.conftest import ADMIN, ProofHall

pytestmark = pytest.mark.slow

_PIECES, _BUYERS, _TRIES = 100, 32, 300
_RING = {
    "slug": "proof-ring",
    "name": "Proof ring",
    "prices": [{"amount": 60_000, "currency": "USD"}],
    "weightGrams": 20,
}
_HOME = {
    "name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postalCode": "10117",
    "country": "DE",
}
_FIGURES = "SELECT on_hand, reserved FROM inventory_stockitem WHERE variant_id = %s"


def test_of_a_hundred_pieces_exactly_a_hundred_are_sold(
    hall: ProofHall, until: Callable[..., None]
) -> None:
    admin = Visitor(hall.url, ADMIN).sign_up()
    variant_id = _on_sale(admin)

    def buy(tries: int) -> list[str]:
        with httpx.Client(base_url=hall.url, timeout=120) as web:
            return [_try_to_buy(web) for _ in range(tries)]

    shares = [_TRIES // _BUYERS + (n < _TRIES % _BUYERS) for n in range(_BUYERS)]
    results = together([lambda count=count: buy(count) for count in shares])
    assert not [result for result in results if isinstance(result, Exception)]
    ended = Counter(end for result in results if isinstance(result, list) for end in result)
    assert ended == {"paid": _PIECES, "out_of_stock": _TRIES - _PIECES}

    paid = "SELECT count(*) FROM orders_order WHERE status = 'PAID'"
    until(lambda: hall.one(paid), _PIECES, seconds=120)
    assert hall.one("SELECT count(*) FROM orders_order") == _PIECES
    assert hall.rows(_FIGURES, variant_id) == [(0, 0)]
    sold = "SELECT -sum(change) FROM inventory_stockmove WHERE reason = 'sold' AND item_id = %s"
    assert hall.one(sold, variant_id) == _PIECES
    held = "SELECT state, sum(quantity) FROM inventory_reservation GROUP BY state"
    assert hall.rows(held) == [("committed", _PIECES)]
    assert hall.one("SELECT count(*) FROM payments_refund") == 0
    hall.check_ledger()


def _on_sale(admin: Visitor) -> str:
    made = admin.post("/api/products", _RING)
    assert made.status_code == 201, made.text
    approved = admin.post(f"/api/products/{_RING['slug']}/approve")
    assert approved.status_code == 200, approved.text
    (item,) = admin.get("/api/inventory", product=_RING["slug"])["items"]
    level = {"level": _PIECES, "reason": "received"}
    answer = admin.ask("PUT", f"/api/inventory/{item['variantId']}", json=level)
    assert answer.status_code == 200, answer.text
    return str(item["variantId"])


def _try_to_buy(web: httpx.Client) -> str:
    """A guest's way from an empty cart to the gateway's button; how it ended."""
    put = web.post("/api/cart", json={"product": _RING["slug"], "configuration": {}})
    assert put.status_code < 500, put.text
    if put.status_code != 201:
        return str(put.json()["code"])
    ordered = web.post(
        "/api/checkout",
        json={
            "email": f"{uuid.uuid4().hex}@example.com",
            "shippingAddress": _HOME,
            "shippingMethod": "insured",
        },
        headers={"X-Visitor": put.headers["X-Visitor"], "X-Storefront": "elysium"},
    )
    web.cookies.clear()
    if ordered.status_code != 201:
        assert ordered.status_code == 409, ordered.text
        return str(ordered.json()["code"])
    page = ordered.json()["checkoutUrl"]
    pressed = web.post(f"{page}/pay", json={"outcome": "paid"})
    assert pressed.status_code == 200, pressed.text
    return "paid"
