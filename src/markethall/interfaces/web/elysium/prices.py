"""How the shop writes money: without cents where there are none."""

from __future__ import annotations

from markethall.kernel.money import Money, minor_digits


def written(price: Money) -> str:
    """``$4,200``, ``$4,200.50``, ``¥480,000``."""
    text = str(price)
    digits = minor_digits(price.currency)
    return text.removesuffix("." + "0" * digits) if digits else text


def added(amount: int, currency: str) -> str:
    """What choosing something changes, ``+$350``; nothing where it changes nothing."""
    if not amount:
        return ""
    return ("+" if amount > 0 else "−") + written(Money(abs(amount), currency))
