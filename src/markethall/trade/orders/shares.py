"""What pieces of a line cost in the end, so that parts given back add up to the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from markethall.kernel.money import proportion
from markethall.trade.orders.models import Order, OrderLine


def paid_for(line: OrderLine) -> int:
    """What a line costs in minor units: less its discount, and with the tax on top."""
    return line.total - line.discount + line.tax_added


def paid_for_shipping(order: Order, lines: Iterable[OrderLine]) -> int:
    """What sending an order costs in minor units, with the tax on top."""
    return order.total - sum(paid_for(line) for line in lines)


def share_of(paid: int, quantity: int, *, pieces: int, gone: int, gone_amount: int) -> int:
    """What ``pieces`` more of ``quantity`` are worth that cost ``paid`` minor units together, when
    ``gone`` pieces have had ``gone_amount``. The shares of all pieces add up to ``paid``, in
    whatever order they go.

    Raises ValueError for more pieces than are left.
    """
    if not 0 <= gone < gone + pieces <= quantity:
        raise ValueError("There are not so many pieces left.")
    return max(0, proportion(paid, gone + pieces, quantity) - gone_amount)
