"""Orders of goods that are paid, for what comes after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from house.shelf import line_of, on_shelf
from house.till import deliver_and_settle, press
from markethall.flows import fulfilment
from markethall.flows.checkout import start_checkout
from markethall.foundation.accounts.models import User
from markethall.trade.orders.actions import place_order
from markethall.trade.orders.models import Order
from markethall.trade.orders.rules import PricedLine, Terms

HOME = {
    "name": "Grace Hopper",
    "company": "",
    "line1": "5 Harbour Row",
    "line2": "",
    "city": "Berlin",
    "region": "",
    "postal_code": "10115",
    "country": "DE",
    "phone": "+49 30 1234",
}


def placed(customer: User | None = None, *lines: PricedLine, **terms: Any) -> Order:
    """An order of goods that waits for its money; of three pieces of one thing when no lines are
    named."""
    order, _ = place_order(
        customer_id=customer.pk if customer else None,
        email=customer.email if customer else "guest@example.com",
        storefront="elysium",
        lines=lines or [line_of(on_shelf(), 3)],
        terms=Terms(
            **{"shipping_address": HOME, "billing_address": HOME, "shipping_method": "By post"}
            | terms
        ),
    )
    fulfilment.reserve(order)
    return order


def pay(order: Order, customer: User | None = None, outcome: str = "paid") -> Order:
    """Pay an order at the gateway's page."""
    started = start_checkout(customer=customer, order_id=order.pk)
    press({"checkoutUrl": started.payment.checkout_url}, outcome)
    deliver_and_settle()
    order.refresh_from_db()
    return order


def bought(customer: User | None = None, *lines: PricedLine, **terms: Any) -> Order:
    """A paid order of goods."""
    return pay(placed(customer, *lines, **terms), customer)


def line_ids(order: Order) -> Sequence[str]:
    return [str(pk) for pk in order.lines.order_by("pk").values_list("pk", flat=True)]
