"""What of Polar's amounts is ours: the price as listed, after discounts and before tax on top.

Polar keeps the net amount and the tax of an order. Exclusive tax comes on top of our price, which
is the net amount then; inclusive tax lies within it. Refunds are asked for in net amounts, and
Polar gives the tax back along with them.
"""

from __future__ import annotations

from polar.v2026_10.outputs import Checkout, Dispute, Order, Refund

from markethall.kernel.money import Money, split


def of_checkout(checkout: Checkout) -> Money:
    """What the customer was asked for, before tax on top."""
    return Money(checkout.amount - checkout.discount_amount, checkout.currency.upper())


def of_order(order: Order) -> Money:
    """What the customer paid, before tax on top."""
    return Money(order.subtotal_amount - order.discount_amount, order.currency.upper())


def is_inclusive(order: Order) -> bool:
    """Whether the tax lies within the price."""
    return order.tax_amount > 0 and order.total_amount == of_order(order).amount


def of_refund(back: Refund | Dispute, order: Order) -> Money:
    """What of a refund or a chargeback was our price."""
    within = back.tax_amount if is_inclusive(order) else 0
    return Money(back.amount + within, back.currency.upper())


def net_of(money: Money, order: Order) -> int:
    """The net amount to ask a refund of ``money`` for; all that is left for the whole rest."""
    if not is_inclusive(order):
        return money.amount
    left = order.refundable_amount + order.refundable_tax_amount
    if money.amount >= left:
        return order.refundable_amount
    return split(money.amount, [order.net_amount, order.tax_amount])[0]
