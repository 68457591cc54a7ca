"""Entering a code: counted, so that nobody finds one by trying."""

from __future__ import annotations

from copy import copy

from markethall.flows.quote import Buyer, Quote, quote
from markethall.foundation.accounts.limits import count
from markethall.kernel.throttle import uncount_try
from markethall.trade.cart import actions as carts
from markethall.trade.cart.models import Cart
from markethall.trade.vouchers.errors import VoucherRefused
from markethall.trade.vouchers.rules import clean_code


def enter_code(*, cart: Cart, code: str, buyer: Buyer | None = None) -> Quote:
    """Use a code for what is in ``cart``, in place of any other; returns what it costs then.

    A code that cannot be used is not kept. Raises VoucherRefused, TooManyRequests.
    """
    bucket = count("voucher", cart.user_id or cart.visitor_digest)
    tried = copy(cart)
    tried.voucher = clean_code(code)
    quoted = quote(tried, buyer=buyer)
    if quoted.voucher is None or not quoted.voucher.is_accepted:
        raise VoucherRefused(quoted.voucher.reason if quoted.voucher else "Enter a code.")
    carts.set_voucher(cart=cart, code=code)
    uncount_try(bucket)
    return quoted
