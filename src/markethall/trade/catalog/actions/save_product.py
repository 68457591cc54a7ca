from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from markethall.foundation.audit.actions import record
from markethall.kernel import clock, events
from markethall.kernel.errors import FieldError, Invalid
from markethall.kernel.locking import lock_one
from markethall.trade.catalog.draft_rules import PlannedVariant, faults_of, sku_of, variants_of
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, draft_of
from markethall.trade.catalog.errors import ChangedMeanwhile, ProductMissing, SkuTaken, SlugTaken
from markethall.trade.catalog.events import VariantsMade
from markethall.trade.catalog.models import (
    Category,
    Collection,
    CollectionItem,
    Option,
    OptionValue,
    PriceEffect,
    Product,
    ProductPrice,
    Variant,
)
from markethall.trade.catalog.upkeep import refresh

_PLAIN = (
    "slug",
    "name",
    "summary",
    "description",
    "tax_category",
    "weight_grams",
    "position",
)


@dataclass(frozen=True, slots=True)
class Saved:
    """A product after it was saved. ``changed`` names what is different now; ``new_variants`` are
    the ids of those that there were none of before."""

    product: Product
    is_new: bool
    changed: Sequence[str]
    new_variants: Sequence[uuid.UUID]


def save_product(
    *,
    storefront: str,
    draft: ProductDraft,
    actor_id: uuid.UUID | None,
    product_id: uuid.UUID | None = None,
    unchanged_since: datetime | None = None,
) -> Saved:
    """Save a product whole: a new draft, or over the one that has ``product_id``.

    What is the same already is not written. Variants that are no longer possible can no longer be
    bought, but stay. With ``unchanged_since``, its ``updated_at`` when it was read.
    Raises Invalid with every fault, SlugTaken, SkuTaken, ProductMissing and ChangedMeanwhile.
    """
    if faults := faults_of(draft):
        raise Invalid(errors=faults)
    try:
        with transaction.atomic():
            return _save(storefront, draft, actor_id, product_id, unchanged_since)
    except IntegrityError as error:
        raise _taken(error, draft) from error


def _save(
    storefront: str,
    draft: ProductDraft,
    actor_id: uuid.UUID | None,
    product_id: uuid.UUID | None,
    unchanged_since: datetime | None,
) -> Saved:
    product, is_new = _locked(storefront, product_id), product_id is None
    if unchanged_since and product.updated_at != unchanged_since:
        raise ChangedMeanwhile("Load it again, then make your changes.")
    before = None if is_new else draft_of(product)
    changed = _changed(before, draft)
    if not changed:
        return Saved(product, is_new, (), ())
    category = _category(storefront, draft.category)
    collections = _collections(storefront, draft.collections)
    for name in _PLAIN:
        setattr(product, name, getattr(draft, name))
    product.details = [list(pair) for pair in draft.details]
    product.tags = list(draft.tags)
    product.category = category
    product.updated_at = clock.now()
    product.save(force_insert=is_new)
    if "prices" in changed:
        _write_prices(product, draft.prices)
    if "options" in changed:
        _write_options(product, draft.options)
    if "collections" in changed:
        _write_collections(product, collections)
    new_variants = _write_variants(product, draft)
    refresh([product.pk])
    record(
        "product.create" if is_new else "product.save",
        actor_id=actor_id,
        subject_type="product",
        subject_id=product.pk,
        slug=product.slug,
        changed=list(changed),
    )
    return Saved(product, is_new, changed, new_variants)


def _locked(storefront: str, product_id: uuid.UUID | None) -> Product:
    if product_id is None:
        return Product(storefront=storefront)
    return lock_one(
        Product.objects.filter(pk=product_id, storefront=storefront), missing=ProductMissing
    )


def _changed(before: ProductDraft | None, after: ProductDraft) -> list[str]:
    """The fields that differ. A SKU that is not given is no change; a new variant is one of
    options."""
    names = [name for name in ProductDraft.__dataclass_fields__ if name != "skus"]
    if before is None:
        return names
    found = [name for name in names if getattr(before, name) != getattr(after, name)]
    if any(before.skus.get(key) != sku for key, sku in after.skus.items()):
        found.append("skus")
    return found


def _category(storefront: str, path: str) -> Category | None:
    if not path:
        return None
    found = Category.objects.filter(storefront=storefront, path=path).first()
    if found is None:
        raise Invalid.field("category", f"There is no category {path!r}.", "category_not_found")
    return found


def _collections(storefront: str, slugs: Sequence[str]) -> list[Collection]:
    found = list(Collection.objects.filter(storefront=storefront, slug__in=slugs))
    if missing := set(slugs) - {one.slug for one in found}:
        raise Invalid(
            errors=[
                FieldError("collections", f"There is no collection {slug!r}.")
                for slug in sorted(missing)
            ]
        )
    return found


def _write_prices(product: Product, prices: Mapping[str, int]) -> None:
    ProductPrice.objects.filter(product=product).delete()
    ProductPrice.objects.bulk_create(
        ProductPrice(product=product, currency=currency, amount=amount)
        for currency, amount in prices.items()
    )


def _write_options(product: Product, drafts: Sequence[OptionDraft]) -> None:
    Option.objects.filter(product=product).delete()
    options, values, effects = [], [], []
    for position, draft in enumerate(drafts):
        option = Option(
            product=product,
            code=draft.code,
            name=draft.name,
            kind=draft.kind,
            help_text=draft.help_text,
            position=position,
            is_required=draft.is_required,
            is_stocked=draft.is_stocked,
            is_facet=draft.is_facet,
            has_default=draft.has_default,
            max_length=draft.max_length,
            allowed=draft.allowed,
        )
        options.append(option)
        rows, prices = _values(option, draft)
        values += rows
        effects += prices
    Option.objects.bulk_create(options)
    OptionValue.objects.bulk_create(values)
    PriceEffect.objects.bulk_create(effects)


def _values(option: Option, draft: OptionDraft) -> tuple[list[OptionValue], list[PriceEffect]]:
    """The rows of an option's values; of a text that costs something, the one with its price."""
    if draft.is_text:
        value = OptionValue(option=option, code="text", name=draft.name)
        return ([value], _effects(value, draft.effects)) if draft.effects else ([], [])
    values, effects = [], []
    for position, each in enumerate(draft.values):
        value = OptionValue(
            option=option,
            code=each.code,
            name=each.name,
            swatch=each.swatch,
            position=position,
            is_active=each.is_active,
        )
        values.append(value)
        effects += _effects(value, each.effects)
    return values, effects


def _effects(value: OptionValue, amounts: Mapping[str, int]) -> list[PriceEffect]:
    return [
        PriceEffect(value=value, currency=currency, amount=amount)
        for currency, amount in amounts.items()
    ]


def _write_collections(product: Product, collections: Iterable[Collection]) -> None:
    wanted = {collection.pk: collection for collection in collections}
    items = CollectionItem.objects.filter(product=product)
    items.exclude(collection__in=wanted).delete()
    missing = set(wanted) - set(items.values_list("collection_id", flat=True))
    last = dict(
        CollectionItem.objects.filter(collection__in=missing)
        .values("collection_id")
        .annotate(last=Max("position"))
        .values_list("collection_id", "last")
    )
    CollectionItem.objects.bulk_create(
        CollectionItem(collection=wanted[pk], product=product, position=last.get(pk, -1) + 1)
        for pk in sorted(missing)
    )


def _write_variants(product: Product, draft: ProductDraft) -> list[uuid.UUID]:
    """Give every combination its variant; returns the ids of new ones."""
    there = {_parts(row.key): row for row in Variant.objects.filter(product=product)}
    new, kept, possible = [], [], set()
    for planned in variants_of(draft):
        parts = _parts(planned.key)
        possible.add(parts)
        row = there.get(parts)
        if row is None:
            sku = draft.skus.get(planned.key) or sku_of(draft.slug, planned.key)
            new.append(Variant(product=product, key=planned.key, sku=sku, name=planned.name))
        elif _differs(row, planned, draft.skus.get(planned.key, "")):
            row.key, row.name, row.is_active = planned.key, planned.name, True
            row.sku = draft.skus.get(planned.key) or row.sku
            kept.append(row)
    gone = [row for parts, row in there.items() if parts not in possible and row.is_active]
    for row in gone:
        row.is_active = False
    Variant.objects.bulk_update([*kept, *gone], ["key", "sku", "name", "is_active"])
    Variant.objects.bulk_create(new)
    if new:
        events.publish(VariantsMade([row.pk for row in new]))
    return [row.pk for row in new]


def _parts(key: str) -> frozenset[str]:
    """A key whatever the order of its options."""
    return frozenset(part for part in key.split(";") if part)


def _differs(row: Variant, planned: PlannedVariant, sku: str) -> bool:
    wanted = (planned.key, planned.name, sku or row.sku, True)
    return (row.key, row.name, row.sku, row.is_active) != wanted


def _taken_skus(draft: ProductDraft) -> list[FieldError]:
    """The variants whose SKUs are another product's."""
    others = Variant.objects.filter(sku__in=list(draft.skus.values()))
    taken = set(others.exclude(product__slug=draft.slug).values_list("sku", flat=True))
    found = [
        FieldError(f"skus.{key}", f"Another product has the SKU {sku}.", "sku_taken")
        for key, sku in draft.skus.items()
        if sku in taken
    ]
    return found or [FieldError("skus", "Another variant has this SKU.", "sku_taken")]


def _taken(error: IntegrityError, draft: ProductDraft) -> Exception:
    """What a unique constraint refused, in words."""
    text = str(error)
    if "catalog_product_slug" in text:
        return SlugTaken(
            f"Another product has the slug {draft.slug!r}.",
            errors=[FieldError("slug", "Another product has this slug.", "slug_taken")],
        )
    if "sku" in text:
        return SkuTaken(errors=_taken_skus(draft))
    return error
