"""What becomes of a cart and its voucher when an order of it is paid, or never will be."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from markethall.kernel import clock
from markethall.trade.cart.models import Cart, CartOrder
from markethall.trade.cart.queries import cart_of
from markethall.trade.cart.rules import Owner
from markethall.trade.orders.events import GoodsSold, OrderMoved
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.vouchers import actions as vouchers

# What was bought goes out of the cart, what was put in meanwhile stays. A cart that somebody is at
# keeps its code: nobody who holds an order waits for a cart.
_BOUGHT = """
WITH bought AS (
    SELECT o.cart_id, (l.data ->> 'variantId')::uuid AS variant_id, l.data ->> 'mark' AS mark,
           sum(l.quantity) AS quantity
      FROM cart_cartorder o JOIN orders_orderline l ON l.order_id = o.reference
     WHERE o.reference = ANY(%(orders)s) AND l.kind = 'goods'
     GROUP BY 1, 2, 3
), locked AS MATERIALIZED (
    SELECT x.id, b.quantity
      FROM cart_cartline x
      JOIN bought b ON (x.cart_id, x.variant_id, x.mark) = (b.cart_id, b.variant_id, b.mark)
     ORDER BY x.id FOR UPDATE OF x
), gone AS (
    DELETE FROM cart_cartline x USING locked b WHERE x.id = b.id AND x.quantity <= b.quantity
), fewer AS (
    UPDATE cart_cartline x SET quantity = x.quantity - b.quantity FROM locked b
     WHERE x.id = b.id AND x.quantity > b.quantity
)
UPDATE cart_cart SET voucher = ''
 WHERE id IN (SELECT c.id FROM cart_cart c
                JOIN cart_cartorder o ON o.cart_id = c.id
                JOIN orders_order p ON p.id = o.reference
               WHERE o.reference = ANY(%(orders)s) AND c.voucher <> '' AND c.voucher = p.voucher
                 FOR NO KEY UPDATE OF c SKIP LOCKED)
"""


# For so long a page that was left open is told that its cart has been paid for elsewhere, and a
# guest finds what they typed.
_LATELY = timedelta(days=1)


def bought_lately(cart: Cart) -> Order | None:
    """The latest order of ``cart`` that was paid, of the last day."""
    placed = CartOrder.objects.filter(cart=cart, placed_at__gt=clock.now() - _LATELY)
    found = Order.objects.filter(pk__in=placed.values("reference"), paid_at__isnull=False)
    return found.order_by("-paid_at").first()


def can_be_ordered_anew(order: Order, owner: Owner) -> bool:
    """Whether an order came to nothing, and something is still in the owner's cart that it was
    placed of."""
    if order.status != OrderStatus.CANCELLED or order.paid_at is not None:
        return False
    cart = cart_of(owner, order.storefront)
    if cart is None:
        return False
    placed = CartOrder.objects.filter(cart=cart, reference=order.pk)
    return placed.exists() and cart.lines.exists()


def placed_by_guest(cart: Cart) -> Order | None:
    """The latest order of a visitor's cart while it is not paid: what was typed for it need not be
    typed again."""
    if cart.user_id is not None:
        return None
    placed = CartOrder.objects.filter(cart=cart, placed_at__gt=clock.now() - _LATELY)
    last = Order.objects.filter(pk__in=placed.values("reference")).order_by("-pk").first()
    if last is None or last.customer_id or last.paid_at or last.erased_at:
        return None
    return last


def take_out_bought(event: GoodsSold) -> None:
    """What was bought is no longer in the carts that it was bought from."""
    with connection.cursor() as cursor:
        cursor.execute(_BOUGHT, {"orders": list(event.order_ids)})


def give_voucher_back(event: OrderMoved) -> None:
    """An order that is cancelled has used no code."""
    if event.status == OrderStatus.CANCELLED:
        vouchers.give_back(event.order_id)
