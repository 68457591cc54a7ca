"""The shapes of products, as callers send and see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field
from pydantic import StringConstraints

from markethall.interfaces.api.schemas import Asked, In, Moment, Money, Out, Time
from markethall.kernel import money
from markethall.trade.catalog.draft_rules import MAX_DESCRIPTION
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft
from markethall.trade.catalog.facets import FacetGroup
from markethall.trade.catalog.models import Category, Collection, Product, ProductImage, Review
from markethall.trade.catalog.pictures import WIDTHS, picture_url
from markethall.trade.catalog.queries import Card, Detail

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
ProductState = Literal["draft", "submitted", "active", "rejected", "archived"]
SortName = Literal["featured", "newest", "price", "-price", "relevance"]
_AMOUNT = 10**12


class AmountIn(In):
    amount: int = Field(ge=-_AMOUNT, le=_AMOUNT, examples=[125_000])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["USD"])


class DetailIn(In):
    name: str = Field(min_length=1, max_length=80, examples=["Stone"])
    value: str = Field(max_length=1000, examples=["Diamond, 0.5 ct"])


class ValueIn(In):
    """``effects`` is what choosing it adds to the price, in every currency that it is sold in."""

    code: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    name: str = Field(min_length=1, max_length=80)
    effects: list[AmountIn] = Field(default_factory=list, max_length=20)
    swatch: str = Field("", pattern=r"^(#[0-9a-f]{6})?$")
    is_active: bool = True


class OptionIn(In):
    """Each combination of values of the stocked options is a variant. A text has a length, the
    characters it may have (the inside of a regular expression's class) and a price of its own.
    Without ``hasDefault``, nothing is chosen of it before the customer does."""

    code: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    name: str = Field(min_length=1, max_length=80)
    kind: Literal["choice", "text"] = "choice"
    help_text: str = Field("", max_length=200)
    is_required: bool = True
    is_stocked: bool = False
    is_facet: bool = True
    has_default: bool = True
    max_length: int | None = Field(None, ge=1, le=500)
    # A blank is a character that may be allowed.
    allowed: Annotated[str, StringConstraints(strip_whitespace=False, max_length=120)] = ""
    effects: list[AmountIn] = Field(default_factory=list, max_length=20)
    values: list[ValueIn] = Field(default_factory=list, max_length=100)


class ProductIn(In):
    """A product whole: what is left out is emptied. ``category`` is a path, ``collections`` are
    slugs, ``skus`` names variants by key. With ``updatedAt`` as it was read, a change that somebody
    made meanwhile is not overwritten."""

    slug: Slug
    name: Name
    prices: list[AmountIn] = Field(default_factory=list, max_length=20)
    summary: str = Field("", max_length=200)
    description: str = Field("", max_length=MAX_DESCRIPTION)
    details: list[DetailIn] = Field(default_factory=list, max_length=40)
    category: str = Field("", max_length=200, examples=["rings/engagement"])
    collections: list[Slug] = Field(default_factory=list, max_length=50)
    tags: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default_factory=list, max_length=30
    )
    tax_category: Literal["standard", "reduced", "zero"] = "standard"
    weight_grams: int = Field(0, ge=0, le=2_000_000_000)
    position: int = Field(0, ge=0, le=2_000_000_000)
    options: list[OptionIn] = Field(default_factory=list, max_length=20)
    skus: dict[str, str] = Field(default_factory=dict, max_length=1000)
    updated_at: Moment | None = None

    def draft(self) -> ProductDraft:
        return ProductDraft(
            slug=self.slug,
            name=self.name,
            prices=_amounts(self.prices),
            summary=self.summary,
            description=self.description,
            details=[(each.name, each.value) for each in self.details],
            category=self.category,
            collections=self.collections,
            tags=self.tags,
            tax_category=self.tax_category,
            weight_grams=self.weight_grams,
            position=self.position,
            options=[_option_draft(option) for option in self.options],
            skus=self.skus,
        )


class ConfigurationIn(In):
    """What somebody chose: option code → value code, or text."""

    configuration: dict[str, str] = Field(default_factory=dict, max_length=40)
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")


class ImageOut(Out):
    """``shows`` are the option values that it is of; ``sizes`` are addresses by width in pixels,
    which stay and can be kept for a year."""

    id: UUID
    alt: str
    shows: list[str]
    width: int
    height: int
    url: str
    sizes: dict[str, str]

    @classmethod
    def of(cls, image: ProductImage) -> ImageOut:
        widths = [width for width in WIDTHS if width in image.widths] or list(WIDTHS[:1])
        return cls(
            id=image.pk,
            alt=image.alt,
            shows=image.shows,
            width=image.file.width or 0,
            height=image.file.height or 0,
            url=picture_url(image.pk, widths[-1]),
            sizes={str(width): picture_url(image.pk, width) for width in widths},
        )


class RatingOut(Out):
    average: float | None = Field(description="1 to 5; null without any review.")
    count: int


class ProductCard(Out):
    """A product in a list. ``price`` is its cheapest configuration, null where it is not sold in
    the currency asked for."""

    id: UUID
    slug: str
    storefront: str
    name: str
    summary: str
    status: ProductState
    category: str
    tags: list[str]
    price: Money | None
    rating: RatingOut
    image: ImageOut | None
    published_at: Time | None
    updated_at: Time

    @classmethod
    def of(cls, card: Card) -> ProductCard:
        row = card.product
        return cls(
            **_plain(row),
            price=Money.of(card.from_price) if card.from_price else None,
            rating=RatingOut(average=card.rating, count=row.rating_count),
            image=ImageOut.of(card.image) if card.image else None,
        )


class ValueOut(Out):
    code: str
    name: str
    swatch: str
    effects: list[Money]


class OptionOut(Out):
    code: str
    name: str
    kind: Literal["choice", "text"]
    help_text: str
    is_required: bool
    is_stocked: bool
    has_default: bool
    max_length: int | None
    allowed: str
    effects: list[Money]
    values: list[ValueOut]


class VariantOut(Out):
    """``key`` names it by its stocked options: ``metal=gold;ring-size=52``."""

    id: UUID
    key: str
    sku: str
    name: str


class DetailOut(Out):
    name: str
    value: str


class Crumb(Out):
    path: str
    name: str


class NamedSlug(Out):
    slug: str
    name: str


class ProductOut(Out):
    """All of a product. ``prices`` are before its options."""

    id: UUID
    slug: str
    storefront: str
    name: str
    summary: str
    description: str
    details: list[DetailOut]
    status: ProductState
    status_note: str
    category: str
    breadcrumbs: list[Crumb]
    collections: list[NamedSlug]
    tags: list[str]
    tax_category: Literal["standard", "reduced", "zero"]
    weight_grams: int
    position: int
    prices: list[Money]
    options: list[OptionOut]
    variants: list[VariantOut]
    images: list[ImageOut]
    rating: RatingOut
    published_at: Time | None
    updated_at: Time

    @classmethod
    def of(cls, shown: Detail) -> ProductOut:
        row, spec = shown.product, shown.spec
        count = row.rating_count
        return cls(
            **_plain(row),
            description=row.description,
            details=[DetailOut(name=name, value=text) for name, text in row.details],
            status_note=row.status_note,
            breadcrumbs=[Crumb(path=step.path, name=step.name) for step in shown.trail],
            collections=[NamedSlug(slug=one.slug, name=one.name) for one in shown.collections],
            tax_category=row.tax_category,
            weight_grams=row.weight_grams,
            position=row.position,
            prices=_money(spec.prices),
            options=[_option_out(option) for option in spec.options],
            variants=[
                VariantOut(id=each.pk, key=each.key, sku=each.sku, name=each.name)
                for each in shown.variants.values()
            ],
            images=[ImageOut.of(image) for image in shown.images],
            rating=RatingOut(
                average=round(row.rating_sum / count, 1) if count else None, count=count
            ),
        )


class ConfiguredOut(Out):
    """A configuration that can be made: what one piece costs, the variant that it is, and how many
    of it can be had; null where it is made to order."""

    price: Money
    configuration: dict[str, str]
    shown: list[DetailOut]
    variant: VariantOut | None
    available: int | None


class FacetValueOut(Out):
    """``key`` is what narrows the list; ``count`` is a lower bound when ``isAtLeast``."""

    key: str
    name: str
    count: int
    is_at_least: bool
    is_chosen: bool
    swatch: str


class FacetOut(Out):
    code: str
    name: str
    values: list[FacetValueOut]

    @classmethod
    def of(cls, group: FacetGroup) -> FacetOut:
        return cls(
            code=group.code,
            name=group.name,
            values=[
                FacetValueOut(
                    key=each.key,
                    name=each.name,
                    count=each.count.number,
                    is_at_least=each.count.is_bound,
                    is_chosen=each.is_chosen,
                    swatch=each.swatch,
                )
                for each in group.values
            ],
        )


class ReviewIn(In):
    rating: int = Field(ge=1, le=5)
    title: str = Field("", max_length=120)
    text: str = Field("", max_length=4000)


class ReviewStateIn(In):
    """``reason`` stands in the audit log."""

    is_hidden: bool
    reason: str = Field("", max_length=500)


class ReviewOut(Out):
    id: UUID
    rating: int
    title: str
    text: str
    author: str
    is_hidden: bool
    created_at: Time

    @classmethod
    def of(cls, review: Review) -> ReviewOut:
        return cls(
            id=review.pk,
            rating=review.rating,
            title=review.title,
            text=review.text,
            author=review.name,
            is_hidden=review.is_hidden,
            created_at=review.created_at,
        )


class CategoryIn(In):
    """``parent`` is a path, empty at the root."""

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    name: Name
    parent: str = Field("", max_length=200)
    description: str = Field("", max_length=500)
    position: int = Field(0, ge=0, le=32_767)
    is_active: bool = True


class CategoryOut(Out):
    id: UUID
    storefront: str
    slug: str
    path: str
    name: str
    description: str
    position: int
    is_active: bool

    @classmethod
    def of(cls, row: Category) -> CategoryOut:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class CollectionIn(In):
    """``products`` are slugs in the order in which they are shown; left out, they stay."""

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    name: Name
    summary: str = Field("", max_length=200)
    story: str = Field("", max_length=20_000)
    position: int = Field(0, ge=0, le=32_767)
    is_active: bool = True
    products: list[Slug] | None = Field(None, max_length=1000)


class CollectionOut(Out):
    id: UUID
    storefront: str
    slug: str
    name: str
    summary: str
    story: str
    position: int
    is_active: bool
    image: ImageOut | None

    @classmethod
    def of(cls, row: Collection) -> CollectionOut:
        plain = {name: getattr(row, name) for name in cls.model_fields if name != "image"}
        return cls(**plain, image=ImageOut.of(row.picture) if row.picture else None)


class ShelfIn(Asked):
    """What narrows a list of products."""

    q: str = Field("", max_length=200, description="Words, phrases, OR, -without.")
    category: str = Field("", max_length=200, description="A path: `rings/engagement`.")
    collection: str = Field("", max_length=64, description="A slug.")
    facet: list[Annotated[str, Field(max_length=220)]] = Field(
        default_factory=list,
        max_length=40,
        description="`metal:gold`; those of one name are alternatives.",
    )
    price_min: int | None = Field(None, alias="priceMin", ge=0, le=_AMOUNT)
    price_max: int | None = Field(None, alias="priceMax", ge=0, le=_AMOUNT)
    sort: SortName | None = None


def _plain(row: Product) -> dict[str, Any]:
    return {
        "id": row.pk,
        "slug": row.slug,
        "storefront": row.storefront,
        "name": row.name,
        "summary": row.summary,
        "status": row.status,
        "category": row.category.path if row.category else "",
        "tags": row.tags,
        "published_at": row.published_at,
        "updated_at": row.updated_at,
    }


def _money(amounts: Mapping[str, int]) -> list[Money]:
    return [Money.of(money.Money(amount, currency)) for currency, amount in sorted(amounts.items())]


def _amounts(given: Iterable[AmountIn]) -> dict[str, int]:
    return {each.currency: each.amount for each in given}


def _option_draft(option: OptionIn) -> OptionDraft:
    plain = option.model_dump(exclude={"values", "effects"})
    values: Sequence[ValueDraft] = [
        ValueDraft(
            code=value.code,
            name=value.name,
            effects=_amounts(value.effects),
            swatch=value.swatch,
            is_active=value.is_active,
        )
        for value in option.values
    ]
    return OptionDraft(**plain, values=values, effects=_amounts(option.effects))


def _option_out(option: Any) -> OptionOut:
    return OptionOut(
        code=option.code,
        name=option.name,
        kind="text" if option.is_text else "choice",
        help_text=option.help_text,
        is_required=option.is_required,
        is_stocked=option.is_stocked,
        has_default=option.has_default,
        max_length=option.max_length,
        allowed=option.allowed,
        effects=_money(option.effects or {}),
        values=[
            ValueOut(
                code=each.code, name=each.name, swatch=each.swatch, effects=_money(each.effects)
            )
            for each in option.choices.values()
        ],
    )
