"""What is in a storefront, as files that ``import_file`` understands as the same."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from markethall.foundation.files.actions import read_file
from markethall.foundation.files.models import StoredFile
from markethall.kernel.errors import Invalid
from markethall.kernel.money import Money
from markethall.trade.catalog.drafts import OptionDraft, drafts_of
from markethall.trade.catalog.importing import tables
from markethall.trade.catalog.importing.records import Picture, ProductRecord
from markethall.trade.catalog.models import (
    Category,
    Collection,
    CollectionItem,
    Product,
    ProductImage,
    ProductPrice,
)
from markethall.trade.catalog.queries import all_categories, images_of

_BATCH = 200
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
Tell = Callable[[int, int], None]
Files = dict[str, StoredFile]


def export_file(
    path: Path, *, storefront: str, tell: Tell = lambda done, total: None
) -> dict[str, int]:
    """Write a storefront's products to ``path``; returns how many products and pictures.

    The name says what is written: .csv or .ndjson, or .csv.tar.gz or .tar.gz (NDJSON) with the
    pictures. NDJSON has categories and collections too. Raises Invalid for another name.
    """
    name = path.name.lower()
    packed = name.endswith((".tar.gz", ".tgz"))
    is_csv = ".csv" in name
    if not packed and not name.endswith((".csv", ".ndjson")):
        raise Invalid.field("file", "Export to .csv, .ndjson, .csv.tar.gz or .tar.gz.")
    files: Files = {}
    make = csv_lines if is_csv else ndjson_lines
    lines = make(storefront, files, pictures=packed, tell=tell)
    if not packed:
        with path.open("w", encoding="utf-8", newline="") as out:
            out.writelines(lines)
    else:
        with tarfile.open(path, "w:gz") as archive:
            text = "".join(lines).encode()
            _add(archive, "products.csv" if is_csv else "data.ndjson", text)
            for place, file in files.items():
                _add(archive, place, read_file(file))
    count = Product.objects.filter(storefront=storefront).count()
    return {"products": count, "pictures": len(files)}


def csv_lines(
    storefront: str,
    files: Files,
    *,
    pictures: bool = False,
    tell: Tell = lambda done, total: None,
) -> Iterator[str]:
    """The products as CSV; the files of their pictures are put into ``files`` by their paths."""
    prices = ProductPrice.objects.filter(product__storefront=storefront)
    currencies = sorted(prices.values_list("currency", flat=True).distinct())
    columns = tables.columns_of(currencies, pictures=pictures)
    records = records_of(storefront, files, pictures=pictures, tell=tell)
    return tables.written(columns, records)


def ndjson_lines(
    storefront: str,
    files: Files,
    *,
    pictures: bool = False,
    tell: Tell = lambda done, total: None,
) -> Iterator[str]:
    """Categories, collections and products as documents, one a line."""
    categories = {row.path: row for row in all_categories(storefront)}
    for row in categories.values():
        yield _line(_category(row))
    collections = {}
    rows = Collection.objects.filter(storefront=storefront).select_related("picture__file")
    for collection in rows.order_by("slug"):
        collections[collection.slug] = f"collection-{collection.pk}"
        yield _line(_collection(collection, files if pictures else None))
    keys = dict(Product.objects.filter(storefront=storefront).values_list("slug", "pk"))
    for record in records_of(storefront, files, pictures=pictures, tell=tell):
        places = {path: f"category-{row.pk}" for path, row in categories.items()}
        document = {"_id": f"product-{keys[record.draft.slug]}", **_product(record)}
        if record.draft.category:
            document["category"] = _reference(places[record.draft.category])
        document["collections"] = [_reference(collections[s]) for s in record.draft.collections]
        yield _line(document)


def records_of(
    storefront: str,
    files: Files,
    *,
    pictures: bool = False,
    tell: Tell = lambda done, total: None,
) -> Iterator[ProductRecord]:
    """Every product as a record, by its slug."""
    products = Product.objects.filter(storefront=storefront).order_by("slug")
    total, last, done = products.count(), "", 0
    while rows := list(products.filter(slug__gt=last).defer("search", "keywords")[:_BATCH]):
        drafts = drafts_of(rows)
        shown: dict[Any, list[Picture]] = {}
        for image in images_of(row.pk for row in rows) if pictures else ():
            place = _placed(image, files)
            shown.setdefault(image.product_id, []).append(Picture(place, image.alt, image.shows))
        for row in rows:
            yield ProductRecord(0, drafts[row.pk], row.status, shown.get(row.pk, ()))
        done += len(rows)
        tell(done, total)
        last = rows[-1].slug


def _placed(image: ProductImage, files: Files) -> str:
    """The path of a picture in an archive, as Sanity names assets."""
    file = image.file
    ending = _ENDINGS[file.content_type]
    place = f"images/{file.sha256[:40]}-{file.width}x{file.height}.{ending}"
    files[place] = file
    return place


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(f"export/{name}")
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def _reference(key: str) -> dict[str, str]:
    return {"_type": "reference", "_ref": key}


def _category(row: Category) -> dict[str, Any]:
    return {
        "_id": f"category-{row.pk}",
        "_type": "category",
        "title": row.name,
        "slug": {"_type": "slug", "current": row.slug},
        "parent": _reference(f"category-{row.parent_id}") if row.parent_id else None,
        "description": row.description,
        "position": row.position,
        "isActive": row.is_active,
    }


def _collection(row: Collection, files: Files | None) -> dict[str, Any]:
    items = CollectionItem.objects.filter(collection=row).order_by("position", "pk")
    document = {
        "_id": f"collection-{row.pk}",
        "_type": "collection",
        "title": row.name,
        "slug": {"_type": "slug", "current": row.slug},
        "summary": row.summary,
        "story": row.story,
        "position": row.position,
        "isActive": row.is_active,
        "products": [
            _reference(f"product-{key}") for key in items.values_list("product_id", flat=True)
        ],
    }
    if row.picture and files is not None:
        place = _placed(row.picture, files)
        document["image"] = _image(Picture(place, row.picture.alt))
    return document


def _product(record: ProductRecord) -> dict[str, Any]:
    draft = record.draft
    return {
        "_type": "product",
        "title": draft.name,
        "slug": {"_type": "slug", "current": draft.slug},
        "status": record.status,
        "summary": draft.summary,
        "description": draft.description,
        "details": [{"name": name, "value": value} for name, value in draft.details],
        "tags": list(draft.tags),
        "taxCategory": draft.tax_category,
        "weight": draft.weight_grams,
        "position": draft.position,
        "prices": _amounts(draft.prices),
        "options": [_option(option) for option in draft.options],
        "variants": [{"key": key, "sku": sku} for key, sku in draft.skus.items()],
        "images": [_image(picture) for picture in record.pictures],
    }


def _image(picture: Picture) -> dict[str, Any]:
    return {
        "_type": "image",
        "_sanityAsset": f"image@file://./{picture.path}",
        "alt": picture.alt,
        "shows": list(picture.shows),
    }


def _option(option: OptionDraft) -> dict[str, Any]:
    return {
        "code": option.code,
        "title": option.name,
        "kind": option.kind,
        "helpText": option.help_text,
        "isRequired": option.is_required,
        "isStocked": option.is_stocked,
        "isFacet": option.is_facet,
        "hasDefault": option.has_default,
        "maxLength": option.max_length,
        "allowed": option.allowed,
        "effects": _amounts(option.effects),
        "values": [
            {
                "code": value.code,
                "title": value.name,
                "swatch": value.swatch,
                "isActive": value.is_active,
                "effects": _amounts(value.effects),
            }
            for value in option.values
        ],
    }


def _amounts(amounts: Mapping[str, int]) -> list[dict[str, str]]:
    return [
        {"currency": currency, "amount": str(Money(amount, currency).decimal)}
        for currency, amount in amounts.items()
    ]
