"""Fields of Sanity documents: texts in one language or many, block content, references, assets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from markethall.kernel.money import of_decimal

_ASSET = re.compile(r"image@file://(?:\./)?(.+)")
_REFERENCE = re.compile(r"image-([0-9a-f]{40})-(\d+x\d+)-([a-z]+)")
Document = Mapping[str, Any]


class Unusable(ValueError):
    """A field that cannot be used: its name, and why."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where, self.message = where, message


def first(document: Document, *names: str) -> Any:
    """The first of these fields that says something."""
    return next((document[name] for name in names if document.get(name) not in (None, "")), None)


def text(document: Document, *names: str) -> str:
    """A text field, whatever its shape; empty when there is none."""
    return plain(first(document, *names)).strip()


def plain(value: Any) -> str:
    """A value as text: a string, block content, or one language of several (English first)."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return _list_as_text(value)
    if not isinstance(value, dict):
        return ""
    if value.get("_type") == "block":
        return _block(value)
    languages = {k: v for k, v in value.items() if not k.startswith("_")}
    return plain(value["current"] if "current" in value else _in_english(languages))


def _list_as_text(value: Sequence[Any]) -> str:
    by_language = [each for each in value if isinstance(each, dict) and "value" in each]
    if value and len(by_language) == len(value):
        return plain(_in_english({str(each.get("_key", "")): each["value"] for each in value}))
    return "\n\n".join(part for part in map(_block, value) if part)


def _in_english(values: Mapping[str, Any]) -> Any:
    known = next((values[name] for name in ("en", "en_US", "en-US", "en_GB") if name in values), "")
    return known or next(iter(values.values()), "")


def _block(block: Any) -> str:
    """One block of Portable Text: its spans one after the other; a list item with its mark."""
    if isinstance(block, str):
        return block
    if not isinstance(block, dict):
        return ""
    spans = block.get("children")
    if not isinstance(spans, list):
        return ""
    said = "".join(str(span.get("text", "")) for span in spans if isinstance(span, dict))
    mark = {"bullet": "• ", "number": "– "}.get(str(block.get("listItem", "")), "")
    return mark + said.strip() if said.strip() else ""


def slug_of(document: Document, names: Sequence[str] = ("slug",)) -> str:
    """The slug, else one made of the title."""
    given = text(document, *names)
    return given or slugified(text(document, "title", "name"))


def slugified(name: str) -> str:
    """A slug made of a name, in ASCII."""
    from django.utils.text import slugify

    return slugify(name)[:80].strip("-_").replace("_", "-")


def references(value: Any) -> list[str]:
    """The ids that a reference, or a list of them, names; of drafts those of what they become."""
    values = value if isinstance(value, list) else [value]
    ids = [each.get("_ref") for each in values if isinstance(each, dict)]
    return [str(each).removeprefix("drafts.") for each in ids if each]


def asset_path(image: Any) -> str:
    """Where in the export the file of an image field lies; empty when it has none."""
    if not isinstance(image, dict):
        return ""
    if found := _ASSET.fullmatch(str(image.get("_sanityAsset", ""))):
        return found[1]
    asset = image.get("asset")
    found = _REFERENCE.fullmatch(str(asset.get("_ref", ""))) if isinstance(asset, dict) else None
    return f"images/{found[1]}-{found[2]}.{found[3]}" if found else ""


def amounts(document: Document, where: str, names: Sequence[str], currency: str) -> dict[str, int]:
    """Amounts in minor units by currency: a number in ``currency``, or a list of numbers with
    theirs; in major units there."""
    value = first(document, *names)
    if value is None:
        return {}
    own = document.get("currency")
    given = value if isinstance(value, list) else [value]
    found = {}
    for each in given:
        if isinstance(each, dict):
            code = str(each.get("currency") or own or currency).upper()
            number = first(each, "amount", "value", "price")
        else:
            code, number = str(own or currency).upper(), each
        try:
            found[code] = of_decimal(Decimal(str(number)), code).amount
        except (InvalidOperation, ValueError, OverflowError):
            raise Unusable(where, f"{str(number)[:40]!r} is no amount of {code[:10]}.") from None
    return found


def number(document: Document, where: str, *names: str) -> int:
    """A whole number; 0 when there is none."""
    value = first(document, *names)
    if value is None:
        return 0
    try:
        exact = Decimal(str(value))
        if exact != exact.to_integral_value() or not 0 <= exact < 2**31:
            raise ValueError
    except (InvalidOperation, ValueError):
        raise Unusable(where, f"{str(value)[:40]!r} is no whole number.") from None
    return int(exact)


def truth(document: Document, names: Sequence[str], *, default: bool) -> bool:
    """Yes or no."""
    value = next((document[name] for name in names if name in document), default)
    return bool(value)
