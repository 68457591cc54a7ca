"""Products as CSV: one row for each product, and further rows of the same slug for what it has
several of: values of options, details, pictures, SKUs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from itertools import groupby, zip_longest

from markethall.kernel.money import Money, of_decimal
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft
from markethall.trade.catalog.importing.records import Bundle, Fault, Picture, ProductRecord
from markethall.trade.catalog.models import ProductStatus, TaxCategory

MAX_ROWS = 500_000
MAX_COLUMNS = 400
MAX_ROWS_EACH = 2_000  # of one product
PLAIN = (
    "slug", "name", "status", "summary", "description", "category", "collections", "tags",
    "tax_category", "weight_grams", "position",
)  # fmt: skip
OPTION = (
    "option", "option_name", "option_kind", "option_help", "option_required", "option_stocked",
    "option_facet", "option_default", "option_max_length", "option_allowed",
)  # fmt: skip
VALUE = ("value", "value_name", "value_swatch", "value_active")
SEVERAL = ("detail", "detail_text", "variant", "sku", "picture", "picture_alt", "picture_shows")
_PRICE, _EFFECT = "price:", "effect:"
# The columns of a draft's fields, whose paths are without the numbers of their parts.
_COLUMNS = {
    "taxCategory": "tax_category",
    "weightGrams": "weight_grams",
    "options": "option",
    "options.code": "option",
    "options.name": "option_name",
    "options.kind": "option_kind",
    "options.helpText": "option_help",
    "options.isStocked": "option_stocked",
    "options.maxLength": "option_max_length",
    "options.allowed": "option_allowed",
    "options.values": "value",
    "options.values.code": "value",
    "options.values.name": "value_name",
    "options.values.swatch": "value_swatch",
    "details": "detail",
    "details.name": "detail",
    "details.value": "detail_text",
}
_SEPARATOR = ";"
# What a spreadsheet takes for a formula; a plain number is none.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
Row = Mapping[str, str]


class Wrong(ValueError):
    """A cell that cannot be used: its column, and why."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message, self.line = column, message, 0


def read(text: Iterable[str]) -> Bundle:
    """Understand a CSV file. A product is wrong as a whole, with the line of its fault."""
    bundle = Bundle()
    csv.field_size_limit(1_000_000)
    reader = csv.DictReader(text)
    columns = [name.strip() for name in reader.fieldnames or []]
    if fault := _header_fault(columns):
        bundle.faults.append(Fault(1, "header", fault))
        return bundle
    reader.fieldnames = columns
    for slug, group in groupby(_rows(reader, bundle), key=lambda pair: pair[1].get("slug", "")):
        rows = list(group)
        try:
            if not slug:
                raise Wrong("slug", "Every row names its product.")
            if len(rows) > MAX_ROWS_EACH:
                raise Wrong("slug", f"A product has {MAX_ROWS_EACH} rows at most.")
            bundle.products.append(_product(rows))
        except Wrong as wrong:
            bundle.faults.append(Fault(wrong.line or rows[0][0], wrong.column, wrong.message))
    return bundle


def column_of(path: str) -> str:
    """The column in which a draft's field stands, by the path that its faults have."""
    field = re.sub(r"\.\d+(?=\.|$)", "", path)
    start, _, currency = field.rpartition(".")
    if start == "prices":
        return f"{_PRICE}{currency}"
    if start.endswith("effects"):
        return f"{_EFFECT}{currency}"
    return "sku" if field.startswith("skus.") else _COLUMNS.get(field, field)


def _header_fault(columns: Sequence[str]) -> str:
    if len(columns) > MAX_COLUMNS:
        return f"There are {len(columns)} columns; at most {MAX_COLUMNS} are read."
    known = {*PLAIN, *OPTION, *VALUE, *SEVERAL}
    unknown = [
        name for name in columns if name not in known and not name.startswith((_PRICE, _EFFECT))
    ]
    if not {"slug", "name"} <= set(columns):
        return "The first line names the columns; slug and name are needed."
    if len(set(columns)) < len(columns):
        return "Two columns have the same name."
    if not unknown:
        return ""
    there_are = ", ".join([*PLAIN, f"{_PRICE}USD", *OPTION, *VALUE, f"{_EFFECT}USD", *SEVERAL])
    return (
        f"There is no column {unknown[0][:40]!r}. There are: {there_are}."
        " Prices and effects have a column for each currency."
    )


def _rows(reader: csv.DictReader[str], bundle: Bundle) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with their lines: the cells that say something, of rows that do."""
    rows = iter(reader)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            bundle.faults.append(Fault(reader.line_num, "", f"This is no CSV: {error}."))
            return
        if None in row:
            fault = "This row has more cells than there are columns."
            bundle.faults.append(Fault(reader.line_num, row.get("slug") or "", fault))
            continue
        if reader.line_num > MAX_ROWS:
            bundle.faults.append(Fault(reader.line_num, "", f"At most {MAX_ROWS} lines."))
            return
        # A blank is a character that may be allowed.
        said = {
            name: _unguarded(cell if name == "option_allowed" else cell.strip())
            for name, cell in row.items()
            if cell
        }
        plain = {name: cell for name, cell in said.items() if cell}
        if plain:
            yield reader.line_num, plain


def _guarded(cell: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe stands before what could be a formula."""
    is_formula = _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def _unguarded(cell: str) -> str:
    """The cell that ``_guarded`` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _product(rows: Sequence[tuple[int, dict[str, str]]]) -> ProductRecord:
    line, first = rows[0]
    status = first.get("status", "")
    if status and status not in ProductStatus.values:
        raise Wrong("status", f"One of {', '.join(ProductStatus.values)}.")
    options: dict[str, OptionDraft] = {}
    details, skus, pictures = [], {}, []
    lines: dict[str, int] = {}
    for at, row in rows:
        if row.get("option"):
            try:
                option = options.get(row["option"]) or _option(row)
                options[option.code] = _with_value(option, row)
            except Wrong as wrong:
                wrong.line = at
                raise
            path = f"options.{list(options).index(option.code)}"
            lines.setdefault(path, at)
            lines[f"{path}.values.{len(option.values)}"] = at
        if row.get("detail"):
            lines[f"details.{len(details)}"] = at
            details.append((row["detail"], row.get("detail_text", "")))
        if row.get("sku"):
            lines[f"skus.{row.get('variant', '')}"] = at
            skus[row.get("variant", "")] = row["sku"]
        if row.get("picture"):
            lines[f"pictures.{len(pictures)}"] = at
            shows = _several(row.get("picture_shows", ""))
            pictures.append(Picture(row["picture"], row.get("picture_alt", ""), shows))
    draft = ProductDraft(
        slug=first["slug"],
        name=first.get("name", ""),
        prices=_amounts(first, _PRICE),
        summary=first.get("summary", ""),
        description=first.get("description", ""),
        details=details,
        category=first.get("category", ""),
        collections=_several(first.get("collections", "")),
        tags=_several(first.get("tags", "")),
        tax_category=first.get("tax_category") or TaxCategory.STANDARD,
        weight_grams=_number(first, "weight_grams") or 0,
        position=_number(first, "position") or 0,
        options=list(options.values()),
        skus=skus,
    )
    return ProductRecord(line, draft, status, pictures, lines)


def _option(row: Row) -> OptionDraft:
    is_text = row.get("option_kind") == "text"
    return OptionDraft(
        code=row["option"],
        name=row.get("option_name") or row["option"].replace("-", " ").capitalize(),
        kind=row.get("option_kind") or "choice",
        help_text=row.get("option_help", ""),
        is_required=_truth(row, "option_required", default=True),
        is_stocked=_truth(row, "option_stocked", default=False),
        is_facet=_truth(row, "option_facet", default=True),
        has_default=_truth(row, "option_default", default=True),
        max_length=_number(row, "option_max_length"),
        allowed=row.get("option_allowed", ""),
        effects=_amounts(row, _EFFECT) if is_text else {},
    )


def _with_value(option: OptionDraft, row: Row) -> OptionDraft:
    if option.is_text or not row.get("value"):
        return option
    value = ValueDraft(
        code=row["value"],
        name=row.get("value_name") or row["value"].replace("-", " ").capitalize(),
        effects=_amounts(row, _EFFECT),
        swatch=row.get("value_swatch", "").lower(),
        is_active=_truth(row, "value_active", default=True),
    )
    return replace(option, values=[*option.values, value])


def _amounts(row: Row, prefix: str) -> dict[str, int]:
    """Amounts of the columns that begin with ``prefix``, in major units there."""
    found = {}
    for column, cell in row.items():
        if column.startswith(prefix) and cell:
            currency = column.removeprefix(prefix).upper()
            try:
                found[currency] = of_decimal(Decimal(cell), currency).amount
            except (InvalidOperation, ValueError, OverflowError):
                raise Wrong(column, f"{cell[:40]!r} is no amount of {currency[:10]}.") from None
    return found


def _number(row: Row, column: str) -> int | None:
    cell = row.get(column, "")
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) < 10):
        raise Wrong(column, f"{cell[:40]!r} is no whole number.")
    return int(cell)


def _truth(row: Row, column: str, *, default: bool) -> bool:
    cell = row.get(column, "").lower()
    if cell in {"", "yes", "true", "1", "no", "false", "0"}:
        return cell in {"yes", "true", "1"} if cell else default
    raise Wrong(column, f"yes or no; this is {cell[:40]!r}.")


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(_SEPARATOR) if part.strip()]


def columns_of(currencies: Iterable[str], *, pictures: bool) -> list[str]:
    """The columns that are written."""
    several = SEVERAL if pictures else SEVERAL[:4]
    known = list(currencies)
    return [
        *PLAIN,
        *(f"{_PRICE}{currency}" for currency in known),
        *OPTION,
        *VALUE,
        *(f"{_EFFECT}{currency}" for currency in known),
        *several,
    ]


def written(columns: Sequence[str], records: Iterable[ProductRecord]) -> Iterator[str]:
    """CSV lines, the header first, that ``read`` understands as the same records."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for record in records:
        for row in _rows_of(record):
            writer.writerow({name: _guarded(cell) for name, cell in row.items()})
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _rows_of(record: ProductRecord) -> Iterator[dict[str, str]]:
    draft = record.draft
    plain = {
        **{name: str(getattr(draft, name)) for name in PLAIN if name != "status"},
        "status": record.status,
        "collections": _SEPARATOR.join(draft.collections),
        "tags": _SEPARATOR.join(draft.tags),
        **_cells(draft.prices, _PRICE),
    }
    values = [row for option in draft.options for row in _option_rows(option)]
    details = [{"detail": name, "detail_text": text} for name, text in draft.details]
    skus = [{"variant": key, "sku": sku} for key, sku in draft.skus.items()]
    pictures = [
        {
            "picture": each.path,
            "picture_alt": each.alt,
            "picture_shows": _SEPARATOR.join(each.shows),
        }
        for each in record.pictures
    ]
    several = list(zip_longest(values, details, skus, pictures, fillvalue={}))
    for index, parts in enumerate(several or [()]):
        row: dict[str, str] = dict(plain) if index == 0 else {"slug": draft.slug}
        for part in parts:
            row.update(part)
        yield row


def _option_rows(option: OptionDraft) -> Iterator[dict[str, str]]:
    about = {
        "option": option.code,
        "option_name": option.name,
        "option_kind": option.kind,
        "option_help": option.help_text,
        "option_required": _said(option.is_required),
        "option_stocked": _said(option.is_stocked),
        "option_facet": _said(option.is_facet),
        "option_default": _said(option.has_default),
        "option_max_length": str(option.max_length or ""),
        "option_allowed": option.allowed,
    }
    if option.is_text:
        yield {**about, **_cells(option.effects, _EFFECT)}
    for index, value in enumerate(option.values):
        yield {
            **(about if index == 0 else {"option": option.code}),
            "value": value.code,
            "value_name": value.name,
            "value_swatch": value.swatch,
            "value_active": _said(value.is_active),
            **_cells(value.effects, _EFFECT),
        }


def _said(truth: bool) -> str:
    return "yes" if truth else "no"


def _cells(amounts: Mapping[str, int], prefix: str) -> dict[str, str]:
    return {
        f"{prefix}{currency}": str(Money(amount, currency).decimal)
        for currency, amount in amounts.items()
    }
