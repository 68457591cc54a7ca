"""A product as it is written down: what is saved, imported and exported as one whole."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markethall.trade.catalog.models import (
    CollectionItem,
    Option,
    OptionKind,
    OptionValue,
    PriceEffect,
    Product,
    TaxCategory,
    Variant,
)
from markethall.trade.catalog.rules import Choice, OptionSpec, ProductSpec


@dataclass(frozen=True, slots=True)
class ValueDraft:
    """A value of an option. ``effects`` are minor units by currency."""

    code: str
    name: str
    effects: Mapping[str, int] = field(default_factory=dict)
    swatch: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class OptionDraft:
    """An option with its values in their order. Of a text, ``effects`` is what any text costs,
    and there are no values."""

    code: str
    name: str
    values: Sequence[ValueDraft] = ()
    kind: str = OptionKind.CHOICE
    help_text: str = ""
    is_required: bool = True
    is_stocked: bool = False
    is_facet: bool = True
    has_default: bool = True
    max_length: int | None = None
    allowed: str = ""
    effects: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))

    @property
    def is_text(self) -> bool:
        return self.kind == OptionKind.TEXT

    def spec(self) -> OptionSpec:
        """The option as it will be offered: without values that are not active."""
        choices = {
            value.code: Choice(value.code, value.name, value.effects, value.swatch)
            for value in self.values
            if value.is_active
        }
        return OptionSpec(
            code=self.code,
            name=self.name,
            is_required=self.is_required,
            is_stocked=self.is_stocked,
            choices={} if self.is_text else choices,
            max_length=self.max_length if self.is_text else None,
            allowed=self.allowed,
            effects=self.effects if self.is_text else None,
            help_text=self.help_text,
            has_default=self.has_default,
        )


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """All of a product but its pictures, state and stock. ``category`` is a path,
    ``rings/engagement``, ``collections`` are slugs, ``prices`` minor units by currency,
    ``details`` pairs of a name and a text. ``skus`` names variants by their key; a variant that is
    not among them keeps its SKU, or gets one made of the slug."""

    slug: str
    name: str
    prices: Mapping[str, int]
    summary: str = ""
    description: str = ""
    details: Sequence[tuple[str, str]] = ()
    category: str = ""
    collections: Sequence[str] = ()
    tags: Sequence[str] = ()
    tax_category: str = TaxCategory.STANDARD
    weight_grams: int = 0
    position: int = 0
    options: Sequence[OptionDraft] = ()
    skus: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pairs = tuple((name.strip(), text.strip()) for name, text in self.details)
        object.__setattr__(self, "details", pairs)
        object.__setattr__(self, "collections", tuple(sorted(set(self.collections))))
        object.__setattr__(self, "tags", tuple(dict.fromkeys(self.tags)))
        object.__setattr__(self, "options", tuple(self.options))

    def spec(self) -> ProductSpec:
        """What decides prices and variants of this."""
        return ProductSpec(self.prices, [option.spec() for option in self.options])


def drafts_of(products: Iterable[Product]) -> dict[uuid.UUID, ProductDraft]:
    """Products as they could be saved again, by id; as many statements for many as for one.
    ``skus`` holds all variants that can be bought."""
    rows = {product.pk: product for product in products}
    prices: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    for product_id, currency, amount in _prices(list(rows)):
        prices[product_id][currency] = amount
    options = _options(list(rows))
    collections: dict[uuid.UUID, list[str]] = defaultdict(list)
    for product_id, slug in (
        CollectionItem.objects.filter(product__in=rows)
        .order_by("collection__slug")
        .values_list("product_id", "collection__slug")
    ):
        collections[product_id].append(slug)
    skus: dict[uuid.UUID, dict[str, str]] = defaultdict(dict)
    for product_id, key, sku in (
        Variant.objects.filter(product__in=rows, is_active=True)
        .order_by("key")
        .values_list("product_id", "key", "sku")
    ):
        skus[product_id][key] = sku
    paths = _paths(rows.values())
    return {
        pk: ProductDraft(
            slug=row.slug,
            name=row.name,
            prices=prices[pk],
            summary=row.summary,
            description=row.description,
            details=[(name, text) for name, text in row.details],
            category=paths.get(row.category_id, ""),
            collections=collections[pk],
            tags=list(row.tags),
            tax_category=row.tax_category,
            weight_grams=row.weight_grams,
            position=row.position,
            options=options[pk],
            skus=skus[pk],
        )
        for pk, row in rows.items()
    }


def draft_of(product: Product) -> ProductDraft:
    """One product as it could be saved again."""
    return drafts_of([product])[product.pk]


def _prices(ids: Sequence[uuid.UUID]) -> Iterable[tuple[uuid.UUID, str, int]]:
    found = Product.objects.filter(pk__in=ids, prices__isnull=False)
    return found.order_by("prices__currency").values_list(
        "pk", "prices__currency", "prices__amount"
    )


def _paths(products: Iterable[Product]) -> dict[uuid.UUID | None, str]:
    ids = [product.pk for product in products]
    found = Product.objects.filter(pk__in=ids, category__isnull=False)
    return dict(found.values_list("category_id", "category__path"))


def _options(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[OptionDraft]]:
    effects: dict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    of_these = PriceEffect.objects.filter(value__option__product__in=ids)
    for value_id, currency, amount in of_these.order_by("currency").values_list(
        "value_id", "currency", "amount"
    ):
        effects[value_id][currency] = amount
    values: dict[uuid.UUID, list[OptionValue]] = defaultdict(list)
    for value in OptionValue.objects.filter(option__product__in=ids).order_by("position", "pk"):
        values[value.option_id].append(value)
    options: dict[uuid.UUID, list[OptionDraft]] = defaultdict(list)
    for row in Option.objects.filter(product__in=ids).order_by("position", "pk"):
        options[row.product_id].append(_option(row, values[row.pk], effects))
    return options


def _option(
    row: Option, values: Sequence[OptionValue], effects: Mapping[uuid.UUID, Mapping[str, int]]
) -> OptionDraft:
    is_text = row.kind == OptionKind.TEXT
    return OptionDraft(
        code=row.code,
        name=row.name,
        kind=row.kind,
        help_text=row.help_text,
        is_required=row.is_required,
        is_stocked=row.is_stocked,
        is_facet=row.is_facet,
        has_default=row.has_default,
        max_length=row.max_length,
        allowed=row.allowed,
        effects=effects[values[0].pk] if is_text and values else {},
        values=()
        if is_text
        else [
            ValueDraft(
                code=value.code,
                name=value.name,
                effects=effects[value.pk],
                swatch=value.swatch,
                is_active=value.is_active,
            )
            for value in values
        ],
    )
