"""A ring, from the shop window to the partial return, by the calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.cart import Visitor, cart_of, check_out, make_ring, put_in, quantities
from house.people import PASSWORD, ApiClient, client_for, make_user
from house.shelf import figures, stock_is_right
from house.till import books_are_right, deliver_and_settle, press
from markethall.flows.receipts import issue_receipt
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.queries import system_balance
from markethall.foundation.messaging.models import Mail
from markethall.kernel import clock
from markethall.trade.catalog.models import Product, Variant
from markethall.trade.inventory.actions import adjust, lapse
from markethall.trade.inventory.models import StockMove, StockReason
from markethall.trade.orders.models import Order
from markethall.trade.vouchers.models import Voucher

Turn = Callable[[timedelta], None]
DAY = timedelta(days=1)
pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]


def received(product: Product) -> Variant:
    """The gold variant, with its first pieces as an entry of its history."""
    variant = Variant.objects.get(product=product, key="metal=gold")
    StockMove.objects.create(
        item=variant.stock, change=3, on_hand=3, reason=StockReason.RECEIVED, at=clock.now()
    )
    return variant


def sign_in(visitor: Visitor, email: str) -> ApiClient:
    """Sign the visitor in, who brings along what hangs on their secret."""
    body = {"email": email, "password": PASSWORD}
    answer = visitor.post("/api/auth/login", body)
    assert answer.status_code == 200, answer.content
    return ApiClient(answer.json()["token"])


def looked_at(client: ApiClient) -> list[str]:
    items = client.get("/api/analytics/recently-viewed").json()["items"]
    return [item["slug"] for item in items]


def mails_to(email: str) -> list[str]:
    return list(Mail.objects.filter(to=email).order_by("pk").values_list("template", flat=True))


def shown(client: ApiClient, started: dict[str, Any]) -> dict[str, Any]:
    answer = client.get(f"/api/orders/{started['orderId']}")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def send(logistics: ApiClient, started: dict[str, Any], turn_clock: Turn) -> None:
    parcel = logistics.post(
        "/api/shipments",
        {"orderId": started["orderId"], "carrier": "DHL", "trackingNumber": "00340434"},
    ).json()
    assert (parcel["status"], parcel["orderStatus"]) == ("shipped", "SHIPPED")
    turn_clock(2 * DAY)
    arrived = logistics.put(f"/api/shipments/{parcel['id']}", {"status": "delivered"})
    assert arrived.json()["orderStatus"] == "DELIVERED"


def ten_off() -> Voucher:
    """A code for one use."""
    return Voucher.objects.create(
        storefront="elysium",
        code="TENOFF",
        kind="percentage",
        basis_points=1000,
        max_uses=1,
        created_at=clock.now(),
    )


def bought_late(client: ApiClient, gold: Variant, turn_clock: Turn) -> dict[str, Any]:
    """She checks out two rings with a code, and pays after an hour: her pieces were let go, but
    are there still."""
    client.post("/api/cart/voucher", {"code": "TENOFF"})
    started = check_out(client)
    order = Order.objects.get(pk=started["orderId"])
    assert (order.items_total, order.discount, figures(gold)) == (300_000, 30_000, (3, 2))
    turn_clock(timedelta(hours=1))
    lapse()
    assert figures(gold) == (3, 0)
    press(started)
    deliver_and_settle()
    issue_receipt(order.pk)
    assert (shown(client, started)["status"], figures(gold)) == ("PAID", (1, 0))
    assert quantities(cart_of(client)) == []
    return started


def too_late(ring: Product, gold: Variant, turn_clock: Turn) -> None:
    """Grace is slower than a guest for the last one. Her money goes back by itself."""
    grace = make_user(name="Grace")
    slow, quick = client_for(grace), Visitor()
    put_in(slow, ring)
    late = check_out(slow)
    turn_clock(timedelta(hours=1))
    put_in(quick, ring)
    press(check_out(quick, email="guest@example.com"))
    press(late)
    deliver_and_settle()
    assert (shown(slow, late)["status"], figures(gold)) == ("CANCELLED", (0, 0))
    assert "sold_out" in mails_to(grace.email)


def test_a_ring_is_found_reserved_paid_late_sent_and_given_back_in_part(turn_clock: Turn) -> None:
    ada, logistics = make_user(name="Ada"), client_for(make_user(role=Role.LOGISTICS))
    ring = make_ring(stock=3)
    gold = received(ring)
    ten_off()

    # 1st: somebody looks at a ring, and puts two of it into the cart.
    visitor = Visitor()
    put_in(visitor, ring, 2, engraving="Ada")
    assert visitor.post("/api/analytics/track-view", {"slug": ring.slug}).status_code == 204

    # 2nd: it was Ada. She signs in, and finds what she had put in; nobody else does.
    turn_clock(DAY)
    client = sign_in(visitor, ada.email)
    assert (quantities(cart_of(client)), looked_at(client)) == ([2], ["aurore"])
    assert quantities(cart_of(Visitor())) == quantities(cart_of(client_for(make_user()))) == []
    started = bought_late(client, gold, turn_clock)

    # 3rd: the last one goes.
    turn_clock(DAY)
    too_late(ring, gold, turn_clock)

    # 4th to 6th: Ada's rings are packed, leave, and arrive.
    turn_clock(DAY)
    send(logistics, started, turn_clock)

    # 12th: one is too large, and comes back: half of what both cost, less the code's share. Ada's
    # session has ended meanwhile.
    turn_clock(6 * DAY)
    client, finance = client_for(ada), client_for(make_user(role=Role.FINANCE))
    line = shown(client, started)["lines"][0]["id"]
    back = finance.post(
        f"/api/orders/{started['orderId']}/refund",
        {"reason": "Too large", "lines": [{"lineId": line, "quantity": 1}]},
    ).json()
    deliver_and_settle()
    assert back["amount"] == {"amount": 135_000, "currency": "USD"}
    more = finance.post(
        f"/api/orders/{started['orderId']}/refund",
        {"reason": "Again", "lines": [{"lineId": line, "quantity": 2}]},
    )
    assert more.status_code == 422, "no more pieces than were bought"

    # The end: one ring is on the shelf again, the rest is sold, and the books say so.
    assert (shown(client, started)["status"], figures(gold)) == ("DELIVERED", (1, 0))
    kept = Order.objects.get(pk=started["orderId"]).total - 135_000
    assert system_balance(accounts.sales("elysium", "USD")) == -(kept + 150_000)
    told = mails_to(ada.email)
    assert {"order_receipt", "order_shipped", "order_delivered", "refund"} <= set(told), told
    assert Voucher.objects.get().used == 1
    adjust(variant_id=gold.pk, level=0, reason=StockReason.LOST, actor_id=ada.pk)
    assert stock_is_right(gold)
    assert books_are_right()
