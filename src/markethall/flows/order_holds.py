"""What an order keeps for itself while it waits for its money."""

from __future__ import annotations

from markethall.trade.inventory import actions as stock
from markethall.trade.orders.events import OrderMoved
from markethall.trade.orders.models import OrderStatus


def let_go(event: OrderMoved) -> None:
    """An order that is cancelled keeps no pieces from others."""
    if event.status == OrderStatus.CANCELLED:
        stock.release([event.order_id])
