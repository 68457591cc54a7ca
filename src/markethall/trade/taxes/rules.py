"""Pure rules of taxes: which rate holds, what it makes of an amount, and how that adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markethall.kernel.money import contained, share
from markethall.trade.catalog.models import TaxCategory


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in ten-thousandths; ``is_inclusive`` says that prices contain it."""

    name: str
    basis_points: int
    is_inclusive: bool = True


NO_TAX = Rate("", 0)


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount in minor units with its tax. ``added`` is what the tax puts on top of it: all of
    it, or nothing when the amount contains it."""

    amount: int
    rate: Rate
    tax: int

    @property
    def added(self) -> int:
        return 0 if self.rate.is_inclusive else self.tax

    @property
    def net(self) -> int:
        return self.amount - self.tax if self.rate.is_inclusive else self.amount


def rate_for(rates: Mapping[tuple[str, str], Rate], country: str, category: str) -> Rate:
    """The rate of a category in a country, among ``rates`` by (country, category).

    Where a country states none for the category, its standard rate holds, and zero for what is
    taxed at zero. A country that states nothing has the rates of all others (country ``""``);
    without any there is no tax.
    """
    named = country if any(of == country for of, _ in rates) else ""
    if found := rates.get((named, category)):
        return found
    if category == TaxCategory.ZERO:
        return NO_TAX
    return rates.get((named, TaxCategory.STANDARD), NO_TAX)


def tax_of(amount: int, rate: Rate) -> Taxed:
    """The tax of one line, rounded once, halves away from zero."""
    reckon = contained if rate.is_inclusive else share
    return Taxed(amount, rate, reckon(amount, rate.basis_points))


def by_rate(taxed: Iterable[Taxed]) -> list[dict[str, Any]]:
    """What is stated of an order's taxes: each rate once, with the net amount and the tax of its
    lines, in minor units. The lines are not rounded again."""
    sums: dict[Rate, list[int]] = {}
    for each in taxed:
        if each.rate != NO_TAX:
            net, tax = sums.setdefault(each.rate, [0, 0])
            sums[each.rate] = [net + each.net, tax + each.tax]
    return [
        {
            "name": rate.name,
            "basisPoints": rate.basis_points,
            "isInclusive": rate.is_inclusive,
            "net": net,
            "tax": tax,
        }
        for rate, (net, tax) in sorted(sums.items(), key=lambda item: -item[0].basis_points)
    ]


def total_tax(taxed: Sequence[Taxed]) -> int:
    """All tax, what prices contain of it included."""
    return sum(each.tax for each in taxed)


def total_added(taxed: Sequence[Taxed]) -> int:
    """What taxes put on top of the prices."""
    return sum(each.added for each in taxed)
