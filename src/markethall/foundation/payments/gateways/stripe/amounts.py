"""Amounts as Stripe counts them, which for some currencies is not as ISO 4217 does."""

from __future__ import annotations

from decimal import Decimal

from markethall.foundation.payments.errors import GatewayRefused
from markethall.kernel.money import Money, minor_digits, of_decimal

# Whole units only, which Stripe takes as hundredths all the same.
_HUNDREDTHS = frozenset({"ISK", "UGX"})
_NONE = frozenset({"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND"})
_NONE |= {"VUV", "XAF", "XOF", "XPF"}
_THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

# The least that Stripe charges, in major units; it may ask for more after conversion.
_HALF = ["ARS", "AUD", "BRL", "CAD", "CHF", "COP", "EUR", "IDR"]
_HALF += ["ILS", "INR", "NZD", "PHP", "RUB", "SGD", "USD", "ZAR"]
_MINIMUM = {
    **dict.fromkeys(_HALF, "0.50"),
    **dict.fromkeys(["AED", "MYR", "PLN", "RON"], "2.00"),
    **dict.fromkeys(["NOK", "SEK"], "3.00"),
    **dict.fromkeys(["JPY", "KRW"], "50"),
    **dict.fromkeys(["MXN", "THB"], "10"),
    "CZK": "15.00",
    "DKK": "2.50",
    "GBP": "0.30",
    "HKD": "4.00",
    "HUF": "175.00",
}


def to_stripe(money: Money) -> int:
    """The amount in Stripe's smallest unit. Raises GatewayRefused for what Stripe cannot count."""
    exact = money.decimal.scaleb(_digits(money.currency))
    if exact != exact.to_integral_value():
        raise GatewayRefused(f"Stripe cannot count {money}.")
    if money.currency in _THOUSANDTHS and exact % 10:
        raise GatewayRefused(f"Stripe takes {money.currency} in steps of ten: not {money}.")
    return int(exact)


def from_stripe(amount: int, currency: str) -> Money:
    """What Stripe counts, as ours. Raises ValueError for what we cannot count."""
    code = currency.upper()
    return of_decimal(Decimal(amount).scaleb(-_digits(code)), code)


def check_minimum(money: Money) -> None:
    """Raises GatewayRefused, in words, for less than Stripe charges."""
    least = _MINIMUM.get(money.currency)
    if least is not None and money.decimal < Decimal(least):
        minimum = of_decimal(Decimal(least), money.currency)
        raise GatewayRefused(f"Stripe takes {minimum} at least, and this is {money}.")


def _digits(currency: str) -> int:
    if currency in _HUNDREDTHS:
        return 2
    if currency in _NONE:
        return 0
    # A currency of three digits that Stripe does not name would be charged tenfold.
    if minor_digits(currency) == 3 and currency not in _THOUSANDTHS:
        raise GatewayRefused(f"Stripe does not take {currency}.")
    return 3 if currency in _THOUSANDTHS else 2
