"""The configurator, as the page shows it: what can be chosen, and what the server makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from markethall.interfaces.web.elysium.prices import added
from markethall.kernel.errors import FieldError
from markethall.trade.catalog.rules import Choice, OptionSpec, ProductSpec, default_configuration

PREFIX = "option."
_MANY = 8  # more values than this are a list to pick from


@dataclass(frozen=True, slots=True)
class ChoiceShown:
    code: str
    name: str
    swatch: str
    effect: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class OptionShown:
    """``look`` is swatches, segments, select or text; ``effect`` is what a text costs. The first
    one with an error ``has_focus``."""

    code: str
    name: str
    look: str
    help_text: str
    is_required: bool
    is_size: bool
    choices: Sequence[ChoiceShown]
    value: str
    max_length: int
    effect: str
    error: str
    has_focus: bool


def wanted_of(sent: QueryDict) -> dict[str, str]:
    """What a form or an address chose, by option; what was left empty is left out."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in sent.items()
        if isinstance(value, str) and name.startswith(PREFIX) and value
    }


def chosen_of(spec: ProductSpec, sent: QueryDict) -> dict[str, str]:
    """What is chosen, and the default of what must be and was not."""
    return default_configuration(spec) | wanted_of(sent)


def options_shown(
    spec: ProductSpec, chosen: Mapping[str, str], currency: str, errors: Sequence[FieldError] = ()
) -> list[OptionShown]:
    """The options of a product with what is chosen of each."""
    said = {error.path.removeprefix("configuration."): error.message for error in errors}
    first = next((option.code for option in spec.options if option.code in said), "")
    return [
        OptionShown(
            code=option.code,
            name=option.name,
            look=_look(option),
            help_text=option.help_text,
            is_required=option.is_required,
            is_size="size" in option.code,
            choices=_choices(option, chosen.get(option.code, ""), currency),
            value=chosen.get(option.code, ""),
            max_length=option.max_length or 0,
            effect=added((option.effects or {}).get(currency, 0), currency),
            error=said.get(option.code, ""),
            has_focus=option.code == first,
        )
        for option in spec.options
    ]


def _choices(option: OptionSpec, value: str, currency: str) -> list[ChoiceShown]:
    return [
        ChoiceShown(
            code=each.code,
            name=each.name,
            swatch=each.swatch,
            effect=added(each.effects.get(currency, 0), currency),
            is_chosen=each.code == value,
        )
        for each in option.choices.values()
    ]


def _look(option: OptionSpec) -> str:
    if option.is_text:
        return "text"
    choices: Sequence[Choice] = list(option.choices.values())
    if choices and all(each.swatch for each in choices):
        return "swatches"
    return "select" if len(choices) > _MANY else "segments"
