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
from markethall.trade.catalog.rules import Outline, ProductSpec, outline, variant_key
from markethall.trade.inventory.queries import NONE, Availability, availability_of

# In an address: somebody wanted to buy it, so say what is missing.
ASKED = "asked"
# In an address and a form: the line of the bag that is changed.
LINE = "line"
_FEW = 3  # pieces: worth telling
_OTHERS = 6  # other values to offer where one is sold out


@dataclass(frozen=True, slots=True)
class Other:
    """Another value of an option that can be had, with its address."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Offer:
    """``state`` is ready, low, made (to order), out, or wrong where it cannot be made: the best
    that can be had of what is chosen so far. ``missing`` says what still must be chosen; ``mark``
    is the digest of what is, None where it is wrong."""

    price: str
    is_from: bool
    state: str
    news: str
    amount: Money | None = None
    faults: Sequence[FieldError] = ()
    others: Sequence[Other] = ()
    arrives: str = ""
    mark: str | None = None
    missing: Sequence[FieldError] = ()

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
        made = outline(spec, chosen, currency)
    except NotSoldInCurrency as problem:
        return Offer("", False, "wrong", problem.detail)
    except ConfigurationInvalid as problem:
        base = written(Money(spec.prices[currency], currency))
        faults = problem.errors or [FieldError("", problem.detail)]
        return Offer(base, True, "wrong", "Not quite yet.", faults=faults)
    at_hand = _at_hand(variants)
    state, news = _state(_best(spec, made, at_hand))
    depends = " and ".join(option.name.lower() for option in made.missing if option.is_stocked)
    if depends and state != "out":
        news = f"When it is ready depends on {depends}."
    return Offer(
        price=written(made.price),
        is_from=not made.is_exact,
        state=state,
        news=news,
        amount=made.price,
        others=_others(slug, spec, made, at_hand) if state == "out" else (),
        arrives=_arrives(days) if state in {"ready", "low"} and days and not depends else "",
        mark=made.mark,
        missing=made.faults,
    )


def _at_hand(variants: Mapping[str, Variant]) -> dict[str, Availability]:
    """What can be had of each variant, by its key."""
    there = availability_of(variant.pk for variant in variants.values())
    return {key: there[variant.pk] for key, variant in variants.items()}


def _best(spec: ProductSpec, made: Outline, at_hand: Mapping[str, Availability]) -> Availability:
    """What can be had of what is chosen, with whatever is missing chosen for the best."""
    key = variant_key(spec, made.chosen)
    if not any(option.is_stocked for option in made.missing):
        return at_hand.get(key, NONE)
    parts = set(key.split(";")) - {""}
    fitting = [here for other, here in at_hand.items() if parts <= set(other.split(";"))]
    return max(fitting, key=lambda here: (here.available, not here.is_counted), default=NONE)


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
    made: Outline,
    at_hand: Mapping[str, Availability],
) -> list[Other]:
    """What can be had when one stocked option is chosen otherwise, the last one first."""
    found: list[Other] = []
    stocked = [option for option in spec.options if option.is_stocked]
    for option in reversed(stocked):
        for choice in option.choices.values():
            other = {**made.chosen, option.code: choice.code}
            there = at_hand.get(variant_key(spec, other), NONE)
            if there.has(1) and choice.code != made.chosen.get(option.code):
                found.append(Other(choice.name, address_of(slug, other)))
    return found[:_OTHERS]


def address_of(slug: str, chosen: Mapping[str, str], *, asked: bool = False, line: str = "") -> str:
    """The address of a product's page with a configuration; one that says what is missing of it
    when it was ``asked`` for, and changes a line of the bag when one is named."""
    fields = {f"{PREFIX}{code}": value for code, value in chosen.items()}
    told = {LINE: line, ASKED: "1" if asked else ""}
    query = urlencode(fields | {name: value for name, value in told.items() if value})
    return f"/elysium/pieces/{slug}" + (f"?{query}" if query else "")
