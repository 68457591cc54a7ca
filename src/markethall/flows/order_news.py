"""Who is told when an order moves: open pages at once, the customer by mail."""

from __future__ import annotations

from markethall.kernel import live
from markethall.trade.orders.events import OrderMoved


def tell_pages(event: OrderMoved) -> None:
    """The customer's open pages, and the console's."""
    kind = event.status.lower()
    if event.customer_id:
        live.notify(f"order:{event.order_id}", kind=kind, user_id=event.customer_id)
    live.notify("orders", kind=kind, user_id=None)
