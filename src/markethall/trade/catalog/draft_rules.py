"""Pure rules of what can be saved as a product, and which variants it has."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product as combinations
from math import prod

from markethall.kernel.errors import FieldError
from markethall.kernel.money import minor_digits
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft
from markethall.trade.catalog.models import OptionKind, TaxCategory
from markethall.trade.catalog.rules import variant_key

MAX_OPTIONS = 20
MAX_VALUES = 100  # of one option
MAX_VARIANTS = 1000
MAX_AMOUNT = 10**12  # minor units
MAX_DESCRIPTION = 20_000
# Names of facets that are no options.
RESERVED = frozenset({"category", "collection", "tag", "price"})
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_SWATCH = re.compile(r"#[0-9a-f]{6}")
_TAG = re.compile(r"[^:;\s][^:;]{0,39}")


@dataclass(frozen=True, slots=True)
class PlannedVariant:
    """A variant that a product shall have; ``key`` names it, ``name`` is for people."""

    key: str
    name: str


def faults_of(draft: ProductDraft) -> list[FieldError]:
    """What is wrong with a draft, by field; nothing when it can be saved."""
    faults = [*_plain_faults(draft), *_price_faults("prices", draft.prices, least=1)]
    codes = Counter(option.code for option in draft.options)
    if len(draft.options) > MAX_OPTIONS:
        faults.append(FieldError("options", f"A product has at most {MAX_OPTIONS} options."))
    for index, option in enumerate(draft.options):
        path = f"options.{index}"
        if codes[option.code] > 1:
            faults.append(FieldError(f"{path}.code", "Two options have this code."))
        faults += _option_faults(path, option, draft.prices)
    if not faults:
        faults += _whole_faults(draft)
    return faults


def is_plannable(draft: ProductDraft) -> bool:
    """Whether the options, right or wrong, are few enough to say which variants there would be."""
    codes = [option.code for option in draft.options]
    return len(set(codes)) == len(codes) and _variant_count(draft) <= MAX_VARIANTS


def variants_of(draft: ProductDraft) -> list[PlannedVariant]:
    """One variant for each combination of the stocked options' active values; an option that may
    be left open counts as one value more."""
    spec = draft.spec()
    stocked = [option for option in spec.options if option.is_stocked and option.choices]
    ways: list[list[str | None]] = [
        [*option.choices, *([] if option.is_required else [None])] for option in stocked
    ]
    planned = []
    for way in combinations(*ways):
        chosen = {
            option.code: code for option, code in zip(stocked, way, strict=True) if code is not None
        }
        names = [
            option.choices[chosen[option.code]].name for option in stocked if option.code in chosen
        ]
        planned.append(PlannedVariant(variant_key(spec, chosen), ", ".join(names)[:200]))
    return planned


def sku_of(slug: str, key: str) -> str:
    """A SKU made of a product's slug and a variant's key, 64 characters at most. Such as would be
    longer end in a digest."""
    values = [part.partition("=")[2] for part in key.split(";") if part]
    sku = "-".join([slug, *values]).upper()
    if len(sku) <= 64:
        return sku
    mark = hashlib.sha256(f"{slug};{key}".encode()).hexdigest()[:8].upper()
    return f"{sku[:55]}-{mark}"


def _plain_faults(draft: ProductDraft) -> Iterator[FieldError]:
    yield from _slug_faults("slug", draft.slug, 80)
    yield from _text_faults("name", draft.name, 120, required=True)
    yield from _text_faults("summary", draft.summary, 200)
    yield from _text_faults("description", draft.description, MAX_DESCRIPTION)
    if draft.tax_category not in TaxCategory.values:
        yield FieldError("taxCategory", f"One of {', '.join(TaxCategory.values)}.")
    for name, number in (("weightGrams", draft.weight_grams), ("position", draft.position)):
        if not 0 <= number <= 2_000_000_000:
            yield FieldError(name, "A whole number, not below 0.")
    for index, tag in enumerate(draft.tags):
        if not _TAG.fullmatch(tag):
            yield FieldError(
                f"tags.{index}", "A tag has 1 to 40 characters, no colon and no semicolon."
            )
    if len(draft.tags) > 30:
        yield FieldError("tags", "At most 30 tags.")
    if len(draft.details) > 40:
        yield FieldError("details", "At most 40 details.")
    for index, (name, text) in enumerate(draft.details):
        yield from _text_faults(f"details.{index}.name", name, 80, required=True)
        yield from _text_faults(f"details.{index}.value", text, 1000)
    for key, sku in draft.skus.items():
        if not _SKU.fullmatch(sku):
            yield FieldError(
                f"skus.{key}", "A SKU has 1 to 64 letters, digits, dots, slashes or hyphens."
            )


def _slug_faults(path: str, slug: str, most: int) -> Iterator[FieldError]:
    if not _SLUG.fullmatch(slug) or len(slug) > most:
        yield FieldError(
            path, f"At most {most} lower-case letters and digits, with hyphens between them."
        )


def _text_faults(
    path: str, text: str, most: int, *, required: bool = False
) -> Iterator[FieldError]:
    if required and not text.strip():
        yield FieldError(path, "This is needed.")
    if len(text) > most:
        yield FieldError(path, f"At most {most} characters; these are {len(text)}.")
    if "\x00" in text:
        yield FieldError(path, "A text has no NUL characters.")


def _price_faults(path: str, amounts: Mapping[str, int], least: int) -> Iterator[FieldError]:
    for currency, amount in amounts.items():
        try:
            minor_digits(currency)
        except ValueError:
            yield FieldError(f"{path}.{currency}", "This is no ISO 4217 currency.")
        if not least <= amount <= MAX_AMOUNT:
            yield FieldError(f"{path}.{currency}", "This amount cannot be.")


def _option_faults(
    path: str, option: OptionDraft, prices: Mapping[str, int]
) -> Iterator[FieldError]:
    yield from _slug_faults(f"{path}.code", option.code, 40)
    if option.code in RESERVED:
        yield FieldError(f"{path}.code", f"{option.code!r} means something else in lists.")
    yield from _text_faults(f"{path}.name", option.name, 80, required=True)
    yield from _text_faults(f"{path}.helpText", option.help_text, 200)
    if option.kind not in OptionKind.values:
        yield FieldError(f"{path}.kind", f"One of {', '.join(OptionKind.values)}.")
    elif option.is_text:
        yield from _free_text_faults(path, option, prices)
    else:
        yield from _choice_faults(path, option, prices)


def _free_text_faults(
    path: str, option: OptionDraft, prices: Mapping[str, int]
) -> Iterator[FieldError]:
    if option.values:
        yield FieldError(f"{path}.values", "A text has no values.")
    if option.is_stocked:
        yield FieldError(f"{path}.isStocked", "Texts cannot be kept in stock.")
    if not 1 <= (option.max_length or 0) <= 500:
        yield FieldError(f"{path}.maxLength", "A text has a length of 1 to 500 characters.")
    yield from _text_faults(f"{path}.allowed", option.allowed, 120)
    if option.allowed and not _is_class(option.allowed):
        yield FieldError(f"{path}.allowed", "The inside of a character class, such as A-Za-z .")
    yield from _effect_faults(path, [option.effects], prices)


def _is_class(allowed: str) -> bool:
    if re.search(r"(?<!\\)(\\\\)*\]", allowed) or re.search(r"\[\[|&&|\|\||~~|--", allowed):
        return False
    try:
        re.compile(f"[^{allowed}]")
    except re.error:
        return False
    return True


def _choice_faults(
    path: str, option: OptionDraft, prices: Mapping[str, int]
) -> Iterator[FieldError]:
    codes = Counter(value.code for value in option.values)
    if not any(value.is_active for value in option.values):
        yield FieldError(f"{path}.values", "There is nothing to choose.")
    if len(option.values) > MAX_VALUES:
        yield FieldError(f"{path}.values", f"An option has at most {MAX_VALUES} values.")
    if option.max_length is not None or option.allowed or option.effects:
        yield FieldError(path, "Length, characters and a price of its own are a text's.")
    for index, value in enumerate(option.values):
        if codes[value.code] > 1:
            yield FieldError(f"{path}.values.{index}.code", "Two values have this code.")
        yield from _value_faults(f"{path}.values.{index}", value)
    yield from _effect_faults(path, [value.effects for value in option.values], prices)


def _value_faults(path: str, value: ValueDraft) -> Iterator[FieldError]:
    yield from _slug_faults(f"{path}.code", value.code, 40)
    yield from _text_faults(f"{path}.name", value.name, 80, required=True)
    if value.swatch and not _SWATCH.fullmatch(value.swatch):
        yield FieldError(f"{path}.swatch", "A colour such as #d4af37.")


def _effect_faults(
    path: str, effects: Sequence[Mapping[str, int]], prices: Mapping[str, int]
) -> Iterator[FieldError]:
    """A value that costs more in one currency must not come for nothing in another."""
    for index, by_currency in enumerate(effects):
        where = f"{path}.values.{index}.effects" if len(effects) > 1 else f"{path}.effects"
        yield from _price_faults(where, by_currency, least=-MAX_AMOUNT)
        if not any(by_currency.values()):
            continue
        for currency in prices:
            if currency not in by_currency:
                yield FieldError(f"{where}.{currency}", f"Say what this costs in {currency} too.")


def _whole_faults(draft: ProductDraft) -> Iterator[FieldError]:
    count = _variant_count(draft)
    if count > MAX_VARIANTS:
        yield FieldError(
            "options", f"These would be {count} variants; there can be {MAX_VARIANTS}."
        )
        return
    keys = {variant.key for variant in variants_of(draft)}
    for key in draft.skus:
        if key not in keys:
            yield FieldError(f"skus.{key}", "There is no variant with this key.")
    often = Counter(draft.skus.values())
    for key, sku in draft.skus.items():
        if often[sku] > 1:
            yield FieldError(f"skus.{key}", f"Two variants have the SKU {sku}.")
    if too_long := next((key for key in keys if len(key) > 200), ""):
        yield FieldError("options", f"The key {too_long[:60]}… has more than 200 characters.")
    for currency, amount in draft.prices.items():
        if amount + sum(_least(option, currency) for option in draft.options) <= 0:
            yield FieldError(f"prices.{currency}", "The cheapest configuration costs nothing.")


def _variant_count(draft: ProductDraft) -> int:
    return prod(
        len(option.choices) + (not option.is_required)
        for option in draft.spec().options
        if option.is_stocked
    )


def _least(option: OptionDraft, currency: str) -> int:
    """What an option adds to the price at least."""
    ways = [value.effects.get(currency, 0) for value in option.values if value.is_active]
    if option.is_text:
        ways = [option.effects.get(currency, 0)]
    return min([*ways, *([] if option.is_required else [0])], default=0)
