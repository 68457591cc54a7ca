"""What a configuration costs, and whether it can be had, in the words of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from markethall.interfaces.web.elysium.configurator import PREFIX
from markethall.interfaces.web.elysium.prices import written
from markethall.kernel import clock
from markethall.kernel.errors import FieldError
from markethall.kernel.money import Money
from markethall.trade.catalog.errors import ConfigurationInvalid, NotSoldInCurrency
from markethall.trade.catalog.models import Variant
from markethall.trade.catalog.rules import Configured, ProductSpec, configure, variant_key
from markethall.trade.inventory.queries import NONE, Availability, availability_of

_FEW = 3  # pieces: worth telling
_OTHERS = 6  # other values to offer where one is sold out


@dataclass(frozen=True, slots=True)
class Other:
    """Another value of an option that can be had, with its address."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Offer:
    """``state`` is ready, low, made (to order), out, or wrong where it cannot be made; ``mark`` is
    the configuration's digest."""

    price: str
    is_from: bool
    state: str
    news: str
    amount: Money | None = None
    faults: Sequence[FieldError] = ()
    others: Sequence[Other] = ()
    arrives: str = ""
    mark: str = ""

    @property
    def can_buy(self) -> bool:
        return self.state in {"ready", "low", "made"}


def offer_of(
    slug: str,
    spec: ProductSpec,
    variants: Mapping[str, Variant],
    chosen: Mapping[str, str],
    currency: str,
    days: tuple[int, int] | None,
) -> Offer:
    """What ``chosen`` costs and when it arrives; ``days`` are the quickest method's."""
    try:
        made = configure(spec, chosen, currency)
    except NotSoldInCurrency as problem:
        return Offer("", False, "wrong", problem.detail)
    except ConfigurationInvalid as problem:
        base = written(Money(spec.prices[currency], currency))
        faults = problem.errors or [FieldError("", problem.detail)]
        return Offer(base, True, "wrong", "Not quite yet.", faults=faults)
    at_hand = _at_hand(variants)
    here = at_hand.get(made.variant_key, NONE)
    state, news = _state(here)
    return Offer(
        price=written(made.price),
        is_from=False,
        state=state,
        news=news,
        amount=made.price,
        others=_others(slug, spec, made, at_hand) if state == "out" else (),
        arrives=_arrives(days) if state in {"ready", "low"} and days else "",
        mark=made.mark,
    )


def _at_hand(variants: Mapping[str, Variant]) -> dict[str, Availability]:
    """What can be had of each variant, by its key."""
    there = availability_of(variant.pk for variant in variants.values())
    return {key: there[variant.pk] for key, variant in variants.items()}


def _state(here: Availability) -> tuple[str, str]:
    if not here.is_counted:
        return "made", "Made for you, in four to six weeks."
    if here.available == 0:
        return "out", "Sold out in this choice."
    if here.available <= _FEW:
        return "low", f"Only {here.available} left."
    return "ready", "In the atelier, ready to send."


def _arrives(days: tuple[int, int]) -> str:
    today = clock.now().date()
    first, last = (today + timedelta(days=each) for each in days)
    begin = f"{first:%-d}" if first.month == last.month else f"{first:%-d %B}"
    return f"With you between {begin} and {last:%-d %B}."


def _others(
    slug: str,
    spec: ProductSpec,
    made: Configured,
    at_hand: Mapping[str, Availability],
) -> list[Other]:
    """What can be had when one stocked option is chosen otherwise, the last one first."""
    found: list[Other] = []
    stocked = [option for option in spec.options if option.is_stocked]
    for option in reversed(stocked):
        for choice in option.choices.values():
            other = {**made.chosen, option.code: choice.code}
            there = at_hand.get(variant_key(spec, other), NONE)
            if there.has(1) and choice.code != made.chosen[option.code]:
                found.append(Other(choice.name, address_of(slug, other)))
    return found[:_OTHERS]


def address_of(slug: str, chosen: Mapping[str, str]) -> str:
    """The address of a product's page with a configuration."""
    query = urlencode({f"{PREFIX}{code}": value for code, value in chosen.items()})
    return f"/elysium/pieces/{slug}" + (f"?{query}" if query else "")
