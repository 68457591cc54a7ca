"""A product's draft as the fields of a form, and back: an option and its values are rows, with an
empty row after the last one for one more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import QueryDict

from markethall.kernel.money import Money, of_decimal
from markethall.trade.catalog.draft_rules import is_plannable, variants_of
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft
from markethall.trade.catalog.models import TaxCategory

_MORE = 2  # empty rows for values
# Of more variants, SKUs are read from a file: a form has a thousand fields at most.
_MOST_SKUS = 200
_NO_OPTION = OptionDraft(code="", name="")
_NO_VALUE = ValueDraft(code="", name="")


@dataclass(frozen=True, slots=True)
class Amount:
    """A field of an amount: its name, its currency, and what stands in it, in major units."""

    name: str
    currency: str
    value: str


@dataclass(frozen=True, slots=True)
class ValueRow:
    name: str
    value: ValueDraft
    effects: Sequence[Amount]


@dataclass(frozen=True, slots=True)
class SkuRow:
    """A variant by its key, and the SKU that it has or shall have."""

    field: str
    key: str
    name: str
    sku: str
    fault: str


@dataclass(frozen=True, slots=True)
class OptionRow:
    name: str
    option: OptionDraft
    effects: Sequence[Amount]
    values: Sequence[ValueRow]
    fault: str


def form_of(
    draft: ProductDraft, currencies: Sequence[str], faults: Mapping[str, str]
) -> dict[str, Any]:
    """What the template shows of a draft."""
    options = [*draft.options, _NO_OPTION]
    planned = variants_of(draft) if is_plannable(draft) else []
    details = "\n".join(f"{name}: {text}" for name, text in draft.details)
    return {
        "prices": _amounts("price", draft.prices, currencies),
        "details": details,
        "tags": ", ".join(draft.tags),
        "has_many_skus": len(planned) > _MOST_SKUS,
        "skus": [
            SkuRow(
                f"sku{place}",
                each.key,
                each.name,
                draft.skus.get(each.key, ""),
                " ".join(text for path, text in faults.items() if path == f"skus.{each.key}"),
            )
            for place, each in enumerate(planned if len(planned) <= _MOST_SKUS else ())
        ],
        "options": [
            OptionRow(
                name=f"o{place}",
                option=option,
                effects=_amounts(f"o{place}-effect", option.effects, currencies),
                values=[
                    ValueRow(
                        f"o{place}-v{at}",
                        value,
                        _amounts(f"o{place}-v{at}-effect", value.effects, currencies),
                    )
                    for at, value in enumerate([*option.values, *[_NO_VALUE] * _MORE])
                ],
                fault=" ".join(
                    message
                    for path, message in faults.items()
                    if path.startswith(f"options.{place}.") or path == f"options.{place}"
                ),
            )
            for place, option in enumerate(options)
        ],
    }


def draft_from(sent: QueryDict) -> tuple[ProductDraft, dict[str, str]]:
    """The draft that a form says, and what of it could not be read, by field."""
    faults: dict[str, str] = {}
    options = []
    for place in range(21):
        if f"o{place}-code" not in sent:
            break
        if scalar(sent, f"o{place}-code") or scalar(sent, f"o{place}-name"):
            options.append(_option(sent, f"o{place}", faults))
    details = [line.partition(":") for line in scalar(sent, "details").splitlines() if line.strip()]
    draft = ProductDraft(
        slug=scalar(sent, "slug"),
        name=scalar(sent, "name"),
        prices=_read_amounts(sent, "price", faults),
        summary=scalar(sent, "summary"),
        description=scalar(sent, "description").replace("\r\n", "\n"),
        details=[(name, text) for name, _, text in details],
        category=scalar(sent, "category"),
        collections=sent.getlist("collections"),
        tags=[tag.strip() for tag in scalar(sent, "tags").split(",") if tag.strip()],
        tax_category=scalar(sent, "tax_category") or TaxCategory.STANDARD,
        weight_grams=_number(sent, "weight_grams", faults) or 0,
        position=_number(sent, "position", faults) or 0,
        options=options,
    )
    # An option that is taken away takes its variants along.
    keys = {each.key for each in variants_of(draft)} if is_plannable(draft) else set()
    skus = {key: sku for key, sku in _skus(sent).items() if key in keys}
    return replace(draft, skus=skus), faults


def scalar(sent: QueryDict, name: str) -> str:
    """One field's text; without NULs, which no column keeps."""
    return str(sent.get(name, "")).replace("\x00", "").strip()


def _option(sent: QueryDict, name: str, faults: dict[str, str]) -> OptionDraft:
    is_text = scalar(sent, f"{name}-kind") == "text"
    values = []
    for at in range(103):
        row = f"{name}-v{at}"
        if f"{row}-code" not in sent:
            break
        if not is_text and (scalar(sent, f"{row}-code") or scalar(sent, f"{row}-name")):
            values.append(
                ValueDraft(
                    code=scalar(sent, f"{row}-code"),
                    name=scalar(sent, f"{row}-name"),
                    swatch=scalar(sent, f"{row}-swatch").lower(),
                    is_active=f"{row}-active" in sent,
                    effects=_read_amounts(sent, f"{row}-effect", faults),
                )
            )
    return OptionDraft(
        code=scalar(sent, f"{name}-code"),
        name=scalar(sent, f"{name}-name"),
        values=values,
        kind="text" if is_text else "choice",
        help_text=scalar(sent, f"{name}-help"),
        is_required=f"{name}-required" in sent,
        is_stocked=f"{name}-stocked" in sent and not is_text,
        is_facet=f"{name}-facet" in sent,
        has_default=is_text or f"{name}-default" in sent,
        max_length=_number(sent, f"{name}-length", faults) if is_text else None,
        allowed=str(sent.get(f"{name}-allowed", "")).replace("\x00", "") if is_text else "",
        effects=_read_amounts(sent, f"{name}-effect", faults) if is_text else {},
    )


def _skus(sent: QueryDict) -> dict[str, str]:
    """SKUs by the keys of their variants; what was left empty keeps the one that it has."""
    found = {}
    for place in range(_MOST_SKUS):
        if f"sku{place}-key" not in sent:
            break
        if sku := scalar(sent, f"sku{place}"):
            found[scalar(sent, f"sku{place}-key")] = sku
    return found


def _amounts(prefix: str, amounts: Mapping[str, int], currencies: Sequence[str]) -> list[Amount]:
    return [
        Amount(
            f"{prefix}-{currency}",
            currency,
            str(Money(amounts[currency], currency).decimal) if currency in amounts else "",
        )
        for currency in currencies
    ]


def _read_amounts(sent: QueryDict, prefix: str, faults: dict[str, str]) -> dict[str, int]:
    found = {}
    for name in sent:
        currency = name.removeprefix(f"{prefix}-")
        text = scalar(sent, name)
        if currency == name or not text or len(currency) != 3:
            continue
        try:
            found[currency] = of_decimal(Decimal(text.replace(",", ".")), currency).amount
        except (InvalidOperation, ValueError, OverflowError):
            faults[name] = f"{text[:40]!r} is no amount of {currency}."
    return found


def _number(sent: QueryDict, name: str, faults: dict[str, str]) -> int | None:
    text = scalar(sent, name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        faults[name] = f"{text[:40]!r} is no whole number."
        return None
    return int(text)
