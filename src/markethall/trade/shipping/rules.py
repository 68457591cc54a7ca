"""Pure rules of sending: which methods there are for some goods to a country, and their price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markethall.kernel.money import Money
from markethall.trade.shipping.models import MethodKind


@dataclass(frozen=True, slots=True)
class Step:
    """What a method costs in one currency, up to ``up_to_grams`` (any weight when None). From
    ``free_from`` minor units of goods on it costs nothing."""

    amount: int
    up_to_grams: int | None = None
    free_from: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A way to send, with its prices in one currency. No ``countries`` means everywhere."""

    code: str
    name: str
    description: str
    kind: str
    countries: Sequence[str]
    days_min: int
    days_max: int
    tax_category: str
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Option:
    """A method that fits, and what it costs."""

    method: Method
    price: Money


def options(
    methods: Iterable[Method], *, country: str, weight_grams: int, goods: Money
) -> list[Option]:
    """The methods that send ``goods`` (their total after discounts) of that weight to a country,
    in the order given. Where the country is not known yet, those of any."""
    found = []
    for method in methods:
        if country and method.countries and country not in method.countries:
            continue
        price = price_of(method, weight_grams=weight_grams, goods=goods.amount)
        if price is not None:
            found.append(Option(method, Money(price, goods.currency)))
    return found


def price_of(method: Method, *, weight_grams: int, goods: int) -> int | None:
    """What a method costs for goods of that weight and worth, in minor units; None when it does
    not carry them, or has no price in their currency."""
    step = _step(method, weight_grams)
    if step is None:
        return None
    return 0 if step.free_from is not None and goods >= step.free_from else step.amount


def _step(method: Method, weight_grams: int) -> Step | None:
    if method.kind == MethodKind.FLAT:
        return next(iter(method.steps), None)
    fits = [
        step
        for step in method.steps
        if step.up_to_grams is None or weight_grams <= step.up_to_grams
    ]
    return min(fits, key=lambda step: (step.up_to_grams is None, step.up_to_grams), default=None)
