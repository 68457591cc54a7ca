"""A Sanity dataset export: one JSON document a line. ``docs/catalogue.md`` says which fields are
read; what else a document has is passed over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markethall.trade.catalog.actions.categories import CategoryDraft
from markethall.trade.catalog.actions.collections import CollectionDraft
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft
from markethall.trade.catalog.importing.documents import (
    Document,
    Unusable,
    amounts,
    asset_path,
    first,
    number,
    plain,
    references,
    slug_of,
    slugified,
    text,
    truth,
)
from markethall.trade.catalog.importing.records import (
    Bundle,
    CategoryRecord,
    CollectionRecord,
    Fault,
    Picture,
    ProductRecord,
)
from markethall.trade.catalog.models import ProductStatus, TaxCategory

MAX_DOCUMENTS = 200_000
# Characters of documents that are understood: held in memory, they take twenty times as much.
MAX_KEPT = 32_000_000
MAX_WRONG = 10_000  # lines
_KINDS = {"product": "product", "category": "category", "collection": "collection"}
Lines = dict[str, tuple[int, Document]]


def read(file: Iterable[str], *, currency: str) -> Bundle:
    """Understand an export. Amounts without a currency are in ``currency``."""
    bundle = Bundle()
    kept = _documents(file, bundle)
    paths = _category_paths(kept["category"], bundle)
    slugs = {key: slug_of(document) for key, (_, document) in kept["collection"].items()}
    products = {key: slug_of(document) for key, (_, document) in kept["product"].items()}
    within = _within(kept["collection"], products)
    for key, (line, document) in kept["product"].items():
        try:
            record = _product(line, document, paths, slugs, currency)
            held = {*record.draft.collections, *(slugs[each] for each in within.get(key, ()))}
            bundle.products.append(
                replace(record, draft=replace(record.draft, collections=sorted(held)))
            )
        except Unusable as fault:
            bundle.faults.append(Fault(line, f"{key} {fault.where}", fault.message))
    members: dict[str, list[str]] = {}
    for product in bundle.products:
        for slug in product.draft.collections:
            members.setdefault(slug, []).append(product.draft.slug)
    for key, (line, document) in kept["collection"].items():
        try:
            record = _collection(line, document, products)
            bundle.collections.append(_with_members(record, members))
        except Unusable as fault:
            bundle.faults.append(Fault(line, f"{key} {fault.where}", fault.message))
    return bundle


def _documents(file: Iterable[str], bundle: Bundle) -> dict[str, Lines]:
    """Goods by kind and id, with their lines. A draft counts where nothing is published."""
    kept: dict[str, Lines] = {kind: {} for kind in _KINDS}
    size = 0
    for line, raw in enumerate(file, 1):
        if not raw.strip():
            continue
        if len(bundle.faults) >= MAX_WRONG:
            bundle.faults.append(Fault(line, "", f"Not read from here on: {MAX_WRONG} are wrong."))
            break
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError) as error:
            bundle.faults.append(Fault(line, "", f"This is no JSON: {str(error)[:120]}."))
            continue
        if not isinstance(document, dict):
            bundle.faults.append(Fault(line, "", "This is no document."))
            continue
        kind, key = str(document.get("_type", "")), str(document.get("_id", f"line-{line}"))
        if kind not in kept:
            bundle.passed_over += 1
            continue
        size += len(raw)
        if size > MAX_KEPT:
            most = f"{MAX_KEPT // 1_000_000} MB of products, categories and collections"
            said = f"Not read from here on: at most {most} are imported at once. Part the file."
            bundle.faults.append(Fault(line, "", said))
            break
        published = key.removeprefix("drafts.")
        if key == published or published not in kept[kind]:
            kept[kind][published] = (line, document)
        if sum(map(len, kept.values())) > MAX_DOCUMENTS:
            bundle.faults.append(Fault(line, "", f"At most {MAX_DOCUMENTS} documents."))
            break
    return kept


def _category_paths(rows: Lines, bundle: Bundle) -> dict[str, str]:
    """The paths of categories by id; those that can be saved go to the bundle, parents first."""
    paths: dict[str, str] = {}
    waiting = dict(rows)
    while waiting:
        ready = {
            key: row
            for key, row in waiting.items()
            if not (parents := references(first(row[1], "parent", "parentCategory")))
            or parents[0] in paths
        }
        if not ready:
            break
        for key, (line, document) in ready.items():
            parents = references(first(document, "parent", "parentCategory"))
            draft = CategoryDraft(
                slug=slug_of(document)[:64],
                name=text(document, "title", "name")[:120],
                parent=paths[parents[0]] if parents else "",
                description=text(document, "description")[:500],
                position=_number_or_none(document),
                is_active=truth(document, ["isActive", "active"], default=True),
            )
            paths[key] = draft.path
            bundle.categories.append(CategoryRecord(line, draft))
            del waiting[key]
    for key, (line, _) in waiting.items():
        fault = "Its parent is not in the export, or stands below it."
        bundle.faults.append(Fault(line, f"{key} parent", fault))
    return paths


def _number_or_none(document: Document) -> int:
    try:
        return min(number(document, "position", "position", "order"), 32_767)
    except Unusable:
        return 0


def _within(collections: Lines, products: Mapping[str, str]) -> dict[str, list[str]]:
    """Which collections name a product, by the product's id."""
    within: dict[str, list[str]] = {}
    for key, (_, document) in collections.items():
        for product in references(first(document, "products") or []):
            if product in products:
                within.setdefault(product, []).append(key)
    return within


def _collection(line: int, document: Document, products: Mapping[str, str]) -> CollectionRecord:
    named = references(first(document, "products") or [])
    if missing := [each for each in named if each not in products]:
        raise Unusable("products", f"There is no product {missing[0]!r} in the export.")
    image = first(document, "image", "mainImage", "coverImage")
    path = asset_path(image)
    draft = CollectionDraft(
        slug=slug_of(document)[:64],
        name=text(document, "title", "name"),
        summary=text(document, "summary", "excerpt", "subtitle")[:200],
        story=text(document, "story", "body", "description"),
        position=_number_or_none(document),
        is_active=truth(document, ["isActive", "active"], default=True),
        products=[products[each] for each in named] if "products" in document else None,
    )
    picture = Picture(path, text(image, "alt", "caption")) if path and image else None
    return CollectionRecord(line, draft, picture)


def _with_members(
    record: CollectionRecord, members: Mapping[str, Sequence[str]]
) -> CollectionRecord:
    """With the products that name the collection, after those that it names."""
    named = record.draft.products
    if named is None:
        return record
    others = [slug for slug in members.get(record.draft.slug, ()) if slug not in named]
    return replace(record, draft=replace(record.draft, products=[*named, *others]))


def _product(
    line: int,
    document: Document,
    paths: Mapping[str, str],
    slugs: Mapping[str, str],
    currency: str,
) -> ProductRecord:
    categories = references(first(document, "category", "categories") or [])
    if missing := [each for each in categories[:1] if each not in paths]:
        raise Unusable("category", f"There is no category {missing[0]!r} in the export.")
    collections = references(first(document, "collections", "collection") or [])
    if missing := [each for each in collections if each not in slugs]:
        raise Unusable("collections", f"There is no collection {missing[0]!r} in the export.")
    draft = ProductDraft(
        slug=slug_of(document),
        name=text(document, "title", "name"),
        prices=amounts(document, "prices", ["prices", "price", "basePrice"], currency),
        summary=text(document, "summary", "excerpt", "subtitle", "shortDescription"),
        description=text(document, "description", "body", "content"),
        details=_details(first(document, "details", "specifications") or []),
        category=paths[categories[0]] if categories else "",
        collections=[slugs[each] for each in collections],
        tags=[plain(tag).strip() for tag in _list(first(document, "tags"))],
        tax_category=text(document, "taxCategory") or TaxCategory.STANDARD,
        weight_grams=number(document, "weight", "weightGrams", "weight"),
        position=number(document, "position", "position", "order"),
        options=[
            _option(index, each, currency)
            for index, each in enumerate(_list(first(document, "options")))
        ],
        skus=_skus(_list(first(document, "variants"))),
    )
    return ProductRecord(line, draft, _status(document), _pictures(document))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _status(document: Document) -> str:
    if str(document.get("_id", "")).startswith("drafts."):
        return ProductStatus.DRAFT
    status = text(document, "status").lower()
    if status and status not in ProductStatus.values:
        raise Unusable("status", f"One of {', '.join(ProductStatus.values)}.")
    return status or ProductStatus.ACTIVE


def _details(rows: Any) -> list[tuple[str, str]]:
    return [
        (text(row, "name", "label", "title", "key"), text(row, "value", "text"))
        for row in _list(rows)
        if isinstance(row, dict)
    ]


def _skus(rows: Sequence[Any]) -> dict[str, str]:
    named = [row for row in rows if isinstance(row, dict) and row.get("sku")]
    return {text(row, "key"): text(row, "sku") for row in named}


def _pictures(document: Document) -> list[Picture]:
    fields = [first(document, "mainImage", "image"), *_list(first(document, "images", "gallery"))]
    found: dict[str, Picture] = {}
    for image in fields:
        path = asset_path(image)
        if path and path not in found:
            shows = [plain(each) for each in _list(image.get("shows"))]
            found[path] = Picture(path, text(image, "alt", "caption")[:200], shows)
    return list(found.values())


def _option(index: int, row: Any, currency: str) -> OptionDraft:
    where = f"options.{index}"
    if not isinstance(row, dict):
        raise Unusable(where, "An option is an object.")
    name = text(row, "title", "name", "label")
    kind = text(row, "kind", "inputType") or "choice"
    is_text = kind == "text"
    return OptionDraft(
        code=text(row, "code", "slug", "key") or slugified(name)[:40],
        name=name,
        kind=kind,
        help_text=text(row, "helpText", "help", "description")[:200],
        is_required=truth(row, ["isRequired", "required"], default=not is_text),
        is_stocked=truth(row, ["isStocked", "stocked"], default=False),
        is_facet=truth(row, ["isFacet", "facet"], default=True),
        has_default=truth(row, ["hasDefault"], default=True),
        max_length=number(row, f"{where}.maxLength", "maxLength") or None,
        allowed=plain(row.get("allowed")),
        effects=_effects(row, where, currency) if is_text else {},
        values=[]
        if is_text
        else [
            _value(f"{where}.values.{place}", each, currency)
            for place, each in enumerate(_list(first(row, "values", "choices")))
        ],
    )


def _value(where: str, row: Any, currency: str) -> ValueDraft:
    if isinstance(row, str):
        return ValueDraft(slugified(row)[:40], row)
    if not isinstance(row, dict):
        raise Unusable(where, "A value is a text or an object.")
    name = text(row, "title", "name", "label")
    colour = row.get("swatch") or row.get("color") or ""
    return ValueDraft(
        code=text(row, "code", "value", "slug", "key") or slugified(name)[:40],
        name=name,
        effects=_effects(row, where, currency),
        swatch=str(colour.get("hex", "") if isinstance(colour, dict) else colour).lower(),
        is_active=truth(row, ["isActive", "active"], default=True),
    )


def _effects(row: Document, where: str, currency: str) -> dict[str, int]:
    names = ["effects", "priceModifier", "priceDelta", "price"]
    return amounts(row, f"{where}.effects", names, currency)
