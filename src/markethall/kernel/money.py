"""Money in whole minor units, and the only place where amounts are rounded.

An amount is an ``int`` in the minor unit of its currency: 499 USD is $4.99, 499 JPY is ¥499,
499 KWD is KD 0.499. Minor units come from ISO 4217.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache

import moneyed
import moneyed.l10n


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units with its ISO 4217 currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, int) or isinstance(self.amount, bool):
            raise TypeError("An amount is an int in minor units.")
        minor_digits(self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up.")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    @property
    def decimal(self) -> Decimal:
        """The amount in major units: 499 USD is ``Decimal("4.99")``."""
        return Decimal(self.amount).scaleb(-minor_digits(self.currency))

    def __str__(self) -> str:
        return _written(self)


@lru_cache(maxsize=4096)
def _written(money: Money) -> str:
    """An amount for people: ``€1,299.00``. What it costs to write one is paid once."""
    return str(
        moneyed.l10n.format_money(moneyed.Money(money.decimal, money.currency), locale="en_US")
    )


@cache
def minor_digits(currency: str) -> int:
    """How many decimal digits a currency has: 2 for USD, 0 for JPY, 3 for KWD.

    Raises ValueError for what is no ISO 4217 currency.
    """
    try:
        sub_unit = moneyed.get_currency(currency).sub_unit
    except moneyed.CurrencyDoesNotExist:
        raise ValueError(f"{currency!r} is no ISO 4217 currency.") from None
    return len(str(sub_unit)) - 1


def of_decimal(value: Decimal, currency: str) -> Money:
    """An amount given in major units: ``Decimal("4.99")`` USD is 499.

    Raises ValueError when it has fractions of the minor unit.
    """
    minor = value.scaleb(minor_digits(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{currency} has {minor_digits(currency)} digits after the point.")
    return Money(int(minor), currency)


def share(amount: int, basis_points: int) -> int:
    """``basis_points`` ten-thousandths of ``amount`` in minor units, halves away from zero."""
    exact = Decimal(amount) * basis_points / 10_000
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def contained(amount: int, basis_points: int) -> int:
    """What of ``amount`` was added by a surcharge of ``basis_points`` ten-thousandths, halves away
    from zero: 19 % in 11900 is 1900."""
    whole = 10_000 + basis_points
    part = (2 * abs(amount) * basis_points + whole) // (2 * whole)
    return -part if amount < 0 else part


def proportion(amount: int, part: int, whole: int) -> int:
    """``amount × part ÷ whole``, rounded down: never more than the exact share.

    For taking back: a refund of ``part`` of a ``whole`` takes back at most its share.
    """
    if not 0 <= part <= whole or whole == 0:
        raise ValueError("A part lies between nothing and the whole.")
    return amount * part // whole


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split ``amount`` in proportion to ``weights`` so that the parts add up to the whole.

    The largest remainders get the units left over; of equal remainders, the earlier one.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("Weights are not negative, and one at least is positive.")
    sign = -1 if amount < 0 else 1
    shares = [divmod(abs(amount) * weight, total) for weight in weights]
    parts = [whole for whole, _ in shares]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
    for index in by_remainder[: abs(amount) - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]
