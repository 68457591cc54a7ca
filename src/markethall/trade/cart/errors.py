from __future__ import annotations

from markethall.kernel.errors import Conflict, Invalid, NotFound


class CartLineMissing(NotFound):
    code, title = "cart_line_not_found", "There is no such line in your cart"


class CartFull(Conflict):
    code, title = "cart_full", "Your cart is full"


class CartEmpty(Invalid):
    code, title = "cart_empty", "There is nothing in your cart that can be bought"


class VariantMissing(Conflict):
    code, title = "variant_not_sold", "This combination is not sold at the moment"
