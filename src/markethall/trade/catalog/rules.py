"""Pure rules of products: what may be chosen, what that costs, and which variant it is."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from markethall.kernel.errors import FieldError
from markethall.kernel.money import Money
from markethall.kernel.texts import is_unseen
from markethall.trade.catalog.errors import ConfigurationInvalid, NotSoldInCurrency


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of an option, and what it adds to the price, in minor units by currency."""

    code: str
    name: str
    effects: Mapping[str, int]
    swatch: str = ""


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """What may be chosen. A text has no choices; ``effects`` is what any text at all costs.
    ``allowed`` is the inside of a regular expression's character class."""

    code: str
    name: str
    is_required: bool
    is_stocked: bool
    choices: Mapping[str, Choice]
    max_length: int | None = None
    allowed: str = ""
    effects: Mapping[str, int] | None = None
    help_text: str = ""
    has_default: bool = True

    @property
    def is_text(self) -> bool:
        return self.max_length is not None


@dataclass(frozen=True, slots=True)
class ProductSpec:
    """Everything that decides a product's price and variant. ``prices`` are minor units by
    currency; ``options`` stand in the order in which they are shown."""

    prices: Mapping[str, int]
    options: Sequence[OptionSpec]


@dataclass(frozen=True, slots=True)
class Configured:
    """A valid configuration: what was chosen, its price a piece, and the key of its variant.

    ``chosen`` is option code → value code or text, in the options' order, without what was left
    open. ``shown`` is the same for people: option name, value's name or text.
    """

    chosen: Mapping[str, str]
    shown: Sequence[tuple[str, str]]
    price: Money
    variant_key: str

    @property
    def mark(self) -> str:
        """The digest that two equal configurations share, hexadecimal."""
        return _mark(self.chosen)


@dataclass(frozen=True, slots=True)
class Outline:
    """What is chosen so far. ``missing`` are the options that still must be; ``price`` is of one
    piece with the cheapest of them, and ``is_exact`` when none of them changes it."""

    chosen: Mapping[str, str]
    shown: Sequence[tuple[str, str]]
    price: Money
    is_exact: bool
    missing: Sequence[OptionSpec]

    @property
    def mark(self) -> str:
        """As of a configuration; empty while nothing is chosen."""
        return _mark(self.chosen) if self.chosen else ""

    @property
    def faults(self) -> list[FieldError]:
        """What ``configure`` would say of what is missing."""
        return [FieldError(_path(option), _fault(option, "")) for option in self.missing]


def configure(spec: ProductSpec, wanted: Mapping[str, str], currency: str) -> Configured:
    """Check what somebody chose and price it.

    Raises NotSoldInCurrency, and ConfigurationInvalid with a field error for each option that is
    missing, unknown, or has a value that it cannot have.
    """
    found = _read(spec, wanted, currency, is_whole=True)
    return Configured(found.chosen, found.shown, found.price, variant_key(spec, found.chosen))


def outline(spec: ProductSpec, wanted: Mapping[str, str], currency: str) -> Outline:
    """Check and price what somebody has chosen so far: the same, but what is missing may be."""
    return _read(spec, wanted, currency, is_whole=False)


def _read(
    spec: ProductSpec, wanted: Mapping[str, str], currency: str, *, is_whole: bool
) -> Outline:
    if currency not in spec.prices:
        raise NotSoldInCurrency(f"This is not sold in {currency}.")
    faults = _unknown(spec, wanted)
    amount, chosen, shown, missing = spec.prices[currency], {}, [], []
    for option in spec.options:
        value = _normal(wanted.get(option.code, ""))
        if not value and option.is_required and not is_whole:
            missing.append(option)
            amount += min(_amounts(option, currency), default=0)
        elif fault := _fault(option, value):
            faults.append(FieldError(_path(option), fault))
        elif value:
            chosen[option.code] = value
            shown.append((option.name, option.choices[value].name if option.choices else value))
            amount += _effects(option, value).get(currency, 0)
    if faults:
        raise ConfigurationInvalid(errors=faults)
    if amount <= 0:
        raise ConfigurationInvalid("This combination has no price. Choose another.")
    is_exact = all(len(set(_amounts(option, currency))) < 2 for option in missing)
    return Outline(chosen, shown, Money(amount, currency), is_exact, missing)


def variant_key(spec: ProductSpec, chosen: Mapping[str, str]) -> str:
    """The key of the variant that ``chosen`` is, ``metal=gold;ring-size=52``."""
    stocked = (option.code for option in spec.options if option.is_stocked)
    return ";".join(f"{code}={chosen[code]}" for code in stocked if code in chosen)


class Picture(Protocol):
    """``shows`` are the option values that it is of, ``metal:rose-gold``."""

    @property
    def shows(self) -> Sequence[str]: ...


P = TypeVar("P", bound=Picture)


def pictures_of(pictures: Sequence[P], chosen: Mapping[str, str]) -> list[P]:
    """The pictures that suit what is chosen, those that show most of it first; all, where none
    does."""
    values = {f"{code}:{value}" for code, value in chosen.items()}
    fitting = [
        picture
        for picture in pictures
        if all(each in values or each.partition(":")[0] not in chosen for each in picture.shows)
    ]
    return sorted(fitting, key=lambda each: -len(values & set(each.shows))) or list(pictures)


def default_configuration(spec: ProductSpec) -> dict[str, str]:
    """What is chosen before anybody chose: the first value of every option that needs one and has
    a default."""
    return {
        option.code: next(iter(option.choices))
        for option in spec.options
        if option.choices and option.is_required and option.has_default
    }


def _path(option: OptionSpec) -> str:
    return f"configuration.{option.code}"


def _unknown(spec: ProductSpec, wanted: Mapping[str, str]) -> list[FieldError]:
    known = {option.code for option in spec.options}
    return [
        FieldError(f"configuration.{code[:40]}", "There is nothing of this name to choose here.")
        for code in wanted
        if code not in known
    ]


def _normal(value: str) -> str:
    return " ".join(unicodedata.normalize("NFC", value).split())


def _fault(option: OptionSpec, value: str) -> str:
    """What is wrong with a value, for people; empty when nothing is."""
    if not value:
        return f"Choose {option.name.lower()}." if option.is_required else ""
    if not option.is_text:
        known = value in option.choices
        return "" if known else f"There is no {option.name.lower()} {value[:40]!r}."
    if len(value) > (option.max_length or 0):
        return f"At most {option.max_length} characters; these are {len(value)}."
    odd = [sign for sign in value if is_unseen(sign)]
    if option.allowed:
        odd += re.findall(f"[^{option.allowed}]", value)
    return f"{odd[0]!r} cannot be used here." if odd else ""


def _mark(chosen: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(chosen.items())).encode()).hexdigest()


def _amounts(option: OptionSpec, currency: str) -> list[int]:
    """What each way to choose of an option adds to the price."""
    if option.is_text:
        return [(option.effects or {}).get(currency, 0)]
    return [choice.effects.get(currency, 0) for choice in option.choices.values()]


def _effects(option: OptionSpec, value: str) -> Mapping[str, int]:
    return (option.effects or {}) if option.is_text else option.choices[value].effects
