from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from django.contrib.postgres.search import SearchRank
from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce

from markethall.kernel.money import Money
from markethall.trade.catalog.errors import CollectionMissing, OfferMissing, ProductMissing
from markethall.trade.catalog.facets import Facets, counted, grouped
from markethall.trade.catalog.models import (
    Category,
    Collection,
    CollectionItem,
    LineKind,
    Offer,
    Product,
    ProductImage,
    ProductPrice,
    ProductStatus,
    Review,
    Variant,
)
from markethall.trade.catalog.revision import kept
from markethall.trade.catalog.rules import ProductSpec
from markethall.trade.catalog.search import Query, query_of
from markethall.trade.catalog.specs import specs_of
from markethall.trade.catalog.storefronts import goods_storefronts

Sort = Literal["featured", "newest", "price", "-price", "relevance"]
SORTS: tuple[Sort, ...] = ("featured", "newest", "price", "-price", "relevance")
# Of more hits than these, the ones that the storefront puts first are ranked.
RANKED = 300
MAX_FACETS = 40
_MAX_NAMES = 12  # of facets at once: each is counted by a list of its own
# Columns that only the index needs.
UNSEEN = ("search", "keywords")
_ORDERS: Mapping[str, tuple[str, ...]] = {
    "featured": ("position", "-id"),
    "newest": ("-published_at", "-id"),
    "price": ("from_amount", "-id"),
    "-price": ("-from_amount", "id"),
    "relevance": ("-relevance", "-id"),
}


def active_offers(*, storefront: str = "", kind: LineKind | None = None) -> QuerySet[Offer]:
    """What can be bought now, in the order it is shown."""
    offers = Offer.objects.filter(is_active=True).order_by("position", "pk")
    if storefront:
        offers = offers.filter(storefront=storefront)
    return offers.filter(kind=kind) if kind else offers


def offer_by_code(code: str) -> Offer:
    """An offer that can be bought now; raises OfferMissing."""
    return offers_by_code([code])[code]


def offers_by_code(codes: Iterable[str], *, storefront: str = "") -> dict[str, Offer]:
    """Offers that can be bought now, by code, at one storefront or any.

    Raises OfferMissing for the first that is none.
    """
    wanted = list(codes)
    offers = active_offers(storefront=storefront).filter(code__in=wanted)
    found = {offer.code: offer for offer in offers}
    for code in wanted:
        if code not in found:
            where = f" at {storefront}" if storefront else ""
            raise OfferMissing.field("item", f"There is no offer called {code!r}{where}.")
    return found


def products_shown(
    *,
    storefront: str,
    currency: str,
    category: str | None = None,
    collection: str | None = None,
    q: str = "",
    facets: Sequence[str] = (),
    price_min: int | None = None,
    price_max: int | None = None,
    sort: str = "featured",
) -> QuerySet[Product]:
    """What a storefront shows and sells in ``currency``, narrowed; page it by ``order_of``.

    ``category`` is a path and ``collection`` a slug; of ``facets``, ``metal:gold``, those of one
    name are alternatives. Prices are minor units of the cheapest configuration, which every row
    has as ``from_amount``. ``q`` is searched as it is: ``search.understood`` puts it right first.
    """
    wanted = _facets_of(category, collection, facets)
    found = _priced(storefront, currency, price_min, price_max)
    for alternatives in wanted.values():
        found = found.filter(facets__overlap=alternatives)
    query = query_of(q) if q.strip() else None
    if query is not None:
        found = found.filter(search=query)
        if sort == "relevance":
            found = _ranked(found, query, storefront, currency)
    elif collection and sort in {"featured", "relevance"}:
        found = found.annotate(place=_place_in(storefront, collection))
    return found


def order_of(sort: str, *, q: str = "", collection: str | None = None) -> Sequence[str]:
    """The columns that ``products_shown`` with the same wishes is paged by. A collection has an
    order of its own; relevance without a search is that, or featured."""
    if sort == "relevance" and not q.strip():
        sort = "featured"
    if sort == "featured" and collection and not q.strip():
        return ("place", "-id")
    return _ORDERS[sort]


def facet_counts(*, facets: Sequence[str] = (), **wishes: Any) -> Facets:
    """How many products ``products_shown`` with the same wishes has, and how many each facet would
    leave; three statements, one while the catalogue stays as it is.

    Values of a name that the list is narrowed by are counted as if it were not. At most
    ``facets.COUNTED`` products are counted; of more, counts say how many there are at least.
    """
    return _counted(facets=tuple(facets), **wishes)


@kept
def _counted(
    *,
    storefront: str,
    currency: str,
    facets: tuple[str, ...],
    category: str | None = None,
    collection: str | None = None,
    q: str = "",
    price_min: int | None = None,
    price_max: int | None = None,
) -> Facets:
    wanted = _facets_of(category, collection, facets)
    base = _priced(storefront, currency, price_min, price_max)
    if q.strip():
        base = base.filter(search=query_of(q))
    lists = {}
    for left_out in ["", *wanted]:
        found = base
        for name, alternatives in wanted.items():
            if name != left_out:
                found = found.filter(facets__overlap=alternatives)
        lists[left_out] = found
    chosen = [facet for alternatives in wanted.values() for facet in alternatives]
    return counted(storefront, lists, chosen)


def _facets_of(
    category: str | None, collection: str | None, facets: Sequence[str]
) -> dict[str, list[str]]:
    groups = grouped(list(dict.fromkeys(facets))[:MAX_FACETS])
    wanted = dict(islice(groups.items(), _MAX_NAMES))
    if category:
        wanted["category"] = [f"category:{category}"]
    if collection:
        wanted["collection"] = [f"collection:{collection}"]
    return wanted


def _priced(
    storefront: str, currency: str, price_min: int | None, price_max: int | None
) -> QuerySet[Product]:
    found = Product.objects.filter(
        storefront=storefront,
        status=ProductStatus.ACTIVE,
        prices__storefront=storefront,
        prices__currency=currency,
        prices__is_shown=True,
    ).annotate(from_amount=F("prices__from_amount"))
    found = found.defer(*UNSEEN)
    if price_min is not None:
        found = found.filter(from_amount__gte=price_min)
    if price_max is not None:
        found = found.filter(from_amount__lte=price_max)
    return found


def _ranked(
    found: QuerySet[Product], query: Query, storefront: str, currency: str
) -> QuerySet[Product]:
    first = found.order_by("position", "-id").values("pk")[:RANKED]
    rank = Cast(SearchRank(F("search"), query) * 1_000_000, IntegerField())
    return _priced(storefront, currency, None, None).filter(pk__in=first).annotate(relevance=rank)


def _place_in(storefront: str, collection: str) -> Coalesce:
    items = CollectionItem.objects.filter(
        product=OuterRef("pk"), collection__storefront=storefront, collection__slug=collection
    )
    return Coalesce(Subquery(items.values("position")[:1]), 0)


@dataclass(frozen=True, slots=True)
class Card:
    """A product as lists show it. ``from_price`` is None where it is not sold in the currency
    asked for; ``rating`` is the mean of its stars, None without any."""

    product: Product
    image: ProductImage | None
    from_price: Money | None

    @property
    def rating(self) -> float | None:
        count = self.product.rating_count
        return round(self.product.rating_sum / count, 1) if count else None


def cards_of(
    products: Iterable[Product], currency: str, *, showing: Sequence[str] = ()
) -> list[Card]:
    """Cards in the order of ``products``; two statements for any number. The picture is the first
    that shows one of the facets ``showing``, else the first."""
    rows = list(products)
    ids = [product.pk for product in rows]
    pictures: dict[uuid.UUID, ProductImage] = {}
    wanted = set(showing)
    for image in images_of(ids):
        kept = pictures.get(image.product_id)
        if kept is None or (wanted & set(image.shows) and not wanted & set(kept.shows)):
            pictures[image.product_id] = image
    prices = dict(
        ProductPrice.objects.filter(product__in=ids, currency=currency).values_list(
            "product_id", "from_amount"
        )
    )
    return [
        Card(
            row,
            pictures.get(row.pk),
            Money(prices[row.pk], currency) if row.pk in prices else None,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Detail:
    """All that a product's own page shows. ``variants`` are those that can be bought, by key;
    ``trail`` its categories from the root."""

    product: Product
    spec: ProductSpec
    images: Sequence[ProductImage]
    variants: Mapping[str, Variant]
    trail: Sequence[Category]
    collections: Sequence[Collection]


def product_shown(storefront: str, slug: str) -> Detail:
    """A product that a storefront shows. Raises ProductMissing. Six statements."""
    found = Product.objects.defer(*UNSEEN).select_related("category")
    product = found.filter(storefront=storefront, slug=slug, status=ProductStatus.ACTIVE).first()
    if product is None:
        raise ProductMissing
    return detail_of(product)


def detail_of(product: Product) -> Detail:
    """All of a product, whatever its state. Five statements."""
    variants = Variant.objects.filter(product=product, is_active=True).order_by("key")
    return Detail(
        product=product,
        spec=specs_of([product.pk])[product.pk],
        images=list(images_of([product.pk])),
        variants={variant.key: variant for variant in variants},
        trail=_trail(product),
        collections=list(product.collections.filter(is_active=True).order_by("position", "pk")),
    )


def images_of(product_ids: Iterable[uuid.UUID]) -> QuerySet[ProductImage]:
    """The pictures of products with their files, each product's in their order."""
    found = ProductImage.objects.filter(product__in=list(product_ids)).select_related("file")
    return found.order_by("position", "pk")


def product_by_key(key: str, *, storefront: str = "") -> Product:
    """A product in any state by its id, or by its slug at ``storefront``; when that is empty, at
    any, or at the first that sells goods. Raises ProductMissing."""
    rows = Product.objects.defer(*UNSEEN).select_related("category")
    try:
        found = rows.filter(pk=uuid.UUID(key)).first()
    except ValueError:
        shop = storefront or goods_storefronts()[0].slug
        found = rows.filter(storefront=shop, slug=key[:80].replace("\x00", "")).first()
    if found is None or (storefront and found.storefront != storefront):
        raise ProductMissing
    return found


def products_kept(
    *, storefront: str = "", status: str = "", q: str = "", category: str = ""
) -> QuerySet[Product]:
    """Products in every state, for staff; page them by ``-id``. ``q`` is searched, and the
    beginning of a slug or SKU is found too: the newest RANKED products of each."""
    found = Product.objects.defer(*UNSEEN).select_related("category")
    if storefront:
        found = found.filter(storefront=storefront)
    if status:
        found = found.filter(status=status)
    if category:
        found = found.filter(facets__contains=[f"category:{category}"])
    return found.filter(pk__in=ids_named(found, q)) if q.strip() else found


def ids_named(products: QuerySet[Product], q: str) -> list[uuid.UUID]:
    """The ids of those of ``products`` that ``q`` means: by words, or by the beginning of a slug
    or SKU. Each is found through an index of its own, the newest RANKED at most. One
    statement."""
    begun = q.replace("\x00", "").strip()
    with_sku = Variant.objects.filter(sku__startswith=begun.upper()).order_by("-product")
    found: list[QuerySet[Product, Any]] = [
        products.filter(search=query_of(q)),
        products.filter(slug__startswith=begun.lower()),
        products.filter(pk__in=with_sku.values("product")[:RANKED]),
    ]
    first, *others = (each.order_by("-pk").values("pk")[:RANKED] for each in found)
    return [pk for (pk,) in first.union(*others).values_list("pk")]


def reviews_kept(
    *, state: str = "", stars: int | None = None, product: str = ""
) -> QuerySet[Review]:
    """What is said of products, for staff; page it by ``-id``. ``state`` is hidden or shown;
    ``product`` an id or slug."""
    found = Review.objects.select_related("product", "user").defer(
        *(f"product__{name}" for name in UNSEEN)
    )
    if state:
        found = found.filter(is_hidden=state == "hidden")
    if stars:
        found = found.filter(rating=stars)
    if not product:
        return found
    try:
        return found.filter(product=uuid.UUID(product))
    except ValueError:
        shops = [shop.slug for shop in goods_storefronts()]
        named = Product.objects.filter(storefront__in=shops, slug=product.strip().lower())
        return found.filter(product__in=list(named.values_list("pk", flat=True)))


def categories_shown(storefront: str) -> list[Category]:
    """The tree of a storefront, every category after the one that it is in. What stands below one
    that is not active is not shown either."""
    return [
        category
        for category, line in _tree(storefront)
        if all(ancestor.is_active for ancestor in line)
    ]


def all_categories(storefront: str) -> list[Category]:
    """The same with those that are not shown, for staff."""
    return [category for category, _ in _tree(storefront)]


def _tree(storefront: str) -> list[tuple[Category, list[Category]]]:
    """Categories with the line from the root to each, itself included, as they are shown."""
    by_path = {row.path: row for row in Category.objects.filter(storefront=storefront)}
    lines = []
    for category in by_path.values():
        steps = category.path.split("/")
        paths = ["/".join(steps[: depth + 1]) for depth in range(len(steps))]
        lines.append((category, [by_path[path] for path in paths]))
    return sorted(lines, key=lambda pair: [(one.position, one.name) for one in pair[1]])


def collections_shown(storefront: str) -> QuerySet[Collection]:
    """The collections of a storefront in their order, with their pictures."""
    found = Collection.objects.filter(storefront=storefront, is_active=True)
    return found.select_related("picture__file").order_by("position", "pk")


def collection_by_key(key: str, *, storefront: str) -> Collection:
    """A collection by its id or slug, with its picture, shown or not. Raises
    CollectionMissing."""
    rows = Collection.objects.filter(storefront=storefront).select_related("picture__file")
    try:
        found = rows.filter(pk=uuid.UUID(key)).first()
    except ValueError:
        found = rows.filter(slug=key[:64].replace("\x00", "")).first()
    if found is None:
        raise CollectionMissing
    return found


def _trail(product: Product) -> list[Category]:
    """The categories a product is in, from the root; one statement."""
    paths = [facet[9:] for facet in product.facets if facet.startswith("category:")]
    steps = Category.objects.filter(storefront=product.storefront, path__in=paths)
    return sorted(steps, key=lambda step: step.path.count("/"))
