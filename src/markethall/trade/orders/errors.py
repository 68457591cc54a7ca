from __future__ import annotations

from markethall.kernel.errors import Conflict, Invalid, NotFound


class OrderMissing(NotFound):
    code, title = "order_not_found", "There is no such order"


class MoveNotAllowed(Conflict):
    code, title = "move_not_allowed", "An order cannot go from its state to that one"


class OrderNotPayable(Conflict):
    code, title = "order_not_payable", "This order is not waiting for a payment"


class NotPaidYet(Conflict):
    code, title = "order_not_paid", "This order has not been paid"


class EmptyOrder(Invalid):
    code, title = "empty_order", "An order has one line at least"


class MixedCurrencies(Invalid):
    code, title = "mixed_currencies", "An order is paid in one currency"
