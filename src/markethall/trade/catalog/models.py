from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q

from markethall.foundation.accounts.models import User
from markethall.foundation.files.models import StoredFile
from markethall.kernel import clock
from markethall.kernel.ids import new_id
from markethall.kernel.money import Money


class LineKind(models.TextChoices):
    """What an order line sells, which decides how it is fulfilled."""

    CREDITS = "credits"
    SUBSCRIPTION = "subscription"
    CONTENT = "content"
    GOODS = "goods"


class Offer(models.Model):
    """Something with a price that can be bought as it is. ``code`` is what callers name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=64, unique=True)
    kind = models.CharField(max_length=12, choices=LineKind)
    storefront = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    credits = models.PositiveIntegerField(null=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_featured = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="catalog_offer_priced", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="catalog_credits_counted",
                condition=~Q(kind="credits") | Q(credits__gt=0),
            ),
        )

    @property
    def price(self) -> Money:
        return Money(self.amount, self.currency)


class Category(models.Model):
    """Where a product stands in a storefront's tree. ``path`` is the slugs from the root, with
    slashes: ``rings/engagement``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    parent = models.ForeignKey("self", models.PROTECT, related_name="children", null=True)
    slug = models.SlugField(max_length=64)
    path = models.CharField(max_length=200)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "path"], name="catalog_category_path"),
        )


class ProductStatus(models.TextChoices):
    """Only what is active can be seen and bought; what was sold once is archived, not erased."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACTIVE = "active"
    REJECTED = "rejected"
    ARCHIVED = "archived"


class TaxCategory(models.TextChoices):
    """What kind of rate a product is taxed by; the rates are in ``trade.taxes``."""

    STANDARD = "standard"
    REDUCED = "reduced"
    ZERO = "zero"


class Product(models.Model):
    """Something that is made or sent. ``details`` are pairs of a name and a text, in the order in
    which they are shown; ``weight_grams`` is one piece's, packed. ``facets`` are what lists are
    narrowed by, ``name:value``, ``keywords`` what else it is found by; ``upkeep`` keeps both."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    details = models.JSONField(default=list)
    category = models.ForeignKey(Category, models.PROTECT, related_name="products", null=True)
    status = models.CharField(max_length=9, choices=ProductStatus, default=ProductStatus.DRAFT)
    status_note = models.CharField(max_length=500, blank=True)
    tax_category = models.CharField(max_length=8, choices=TaxCategory, default=TaxCategory.STANDARD)
    weight_grams = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    tags = ArrayField(models.CharField(max_length=40), default=list)
    facets = ArrayField(models.CharField(max_length=220), default=list)
    keywords = models.TextField(blank=True)
    rating_sum = models.PositiveIntegerField(default=0)
    rating_count = models.PositiveIntegerField(default=0)
    search = models.GeneratedField(
        expression=SearchVector("name", weight="A", config="english")
        + SearchVector("keywords", weight="B", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("description", weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "slug"], name="catalog_product_slug"),
        )
        indexes = (
            models.Index(
                fields=["storefront", "position", "-id"],
                condition=Q(status="active"),
                name="catalog_product_shown",
            ),
            models.Index(
                fields=["storefront", "-published_at", "-id"],
                condition=Q(status="active"),
                name="catalog_product_newest",
            ),
            models.Index(fields=["status", "-id"], name="catalog_product_status"),
            GinIndex(fields=["search"], name="catalog_product_search"),
            GinIndex(fields=["facets"], name="catalog_product_facets"),
        )

    def __str__(self) -> str:
        return self.name


class ProductPrice(models.Model):
    """What a product costs before its options, in one currency. Without one it is not sold in
    that currency. ``from_amount`` is its cheapest configuration; that, ``storefront`` and whether
    the product ``is_shown`` are kept by ``upkeep``, so that an index serves lists by price."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    from_amount = models.BigIntegerField(default=0)
    storefront = models.CharField(max_length=16, blank=True)
    is_shown = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "currency"], name="catalog_one_price"),
            models.CheckConstraint(name="catalog_price_positive", condition=Q(amount__gt=0)),
        )
        indexes = (
            models.Index(
                fields=["storefront", "currency", "from_amount", "-product"],
                condition=Q(is_shown=True),
                name="catalog_price_shown",
            ),
        )


class OptionKind(models.TextChoices):
    CHOICE = "choice"
    TEXT = "text"


class Option(models.Model):
    """Something to choose about a product. Each combination of values of its stocked options is a
    variant; the others change only what is made and what it costs. One that is required starts
    with its first value, unless it ``has_default`` not: then everybody chooses for themselves.

    A text has ``max_length`` characters at most, of ``allowed``: the inside of a regular
    expression's character class.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="options")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=6, choices=OptionKind, default=OptionKind.CHOICE)
    help_text = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_required = models.BooleanField(default=True)
    is_stocked = models.BooleanField(default=False)
    has_default = models.BooleanField(default=True)
    is_facet = models.BooleanField(default=True)
    max_length = models.PositiveSmallIntegerField(null=True)
    allowed = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "code"], name="catalog_option_code"),
            models.CheckConstraint(
                name="catalog_text_bounded",
                condition=~Q(kind="text") | Q(max_length__gt=0, is_stocked=False),
            ),
        )


class OptionValue(models.Model):
    """One value to choose; of a text, the one row whose price a text costs. ``swatch`` is a colour
    of the pages, as ``#rrggbb``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    option = models.ForeignKey(Option, models.CASCADE, related_name="values")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    swatch = models.CharField(max_length=7, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["option", "code"], name="catalog_value_code"),
        )


class PriceEffect(models.Model):
    """What choosing a value adds to the price, or takes off it, in one currency. Without one it
    costs nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    value = models.ForeignKey(OptionValue, models.CASCADE, related_name="effects")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["value", "currency"], name="catalog_one_effect"),
        )


class Variant(models.Model):
    """What is counted in stock: one combination of the stocked options. ``key`` names them in the
    options' order, ``metal=gold;ring-size=52``, and is empty where nothing is stocked by option."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="variants")
    key = models.CharField(max_length=200, blank=True)
    sku = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "key"], name="catalog_variant_key"),
        )


class Collection(models.Model):
    """Products shown together, with a story."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=200, blank=True)
    story = models.TextField(blank=True)
    picture = models.ForeignKey("ProductImage", models.SET_NULL, related_name="+", null=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    products = models.ManyToManyField(Product, through="CollectionItem", related_name="collections")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "slug"], name="catalog_collection_slug"),
        )


class CollectionItem(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(Collection, models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["collection", "product"], name="catalog_item_once"),
        )


class ProductImage(models.Model):
    """A picture of a product, as it was given; without one, it is a collection's. ``shows`` are
    the option values that it is of, ``metal:rose-gold``; one that shows none suits all. ``widths``
    are the smaller sizes there are, in pixels. ``source`` is the SHA-256 of what was sent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="images", null=True)
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    source = models.CharField(max_length=64, blank=True)
    alt = models.CharField(max_length=200, blank=True)
    shows = ArrayField(models.CharField(max_length=90), default=list)
    widths = ArrayField(models.PositiveSmallIntegerField(), default=list)
    position = models.PositiveSmallIntegerField(default=0)


class PictureSize(models.Model):
    """A smaller version of a picture, ``width`` pixels wide."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    image = models.ForeignKey(ProductImage, models.CASCADE, related_name="sizes")
    width = models.PositiveSmallIntegerField()
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["image", "width"], name="catalog_size_once"),
        )


class Review(models.Model):
    """What somebody who bought a product says of it, with 1 to 5 stars. ``name`` is how its author
    is called there; staff can hide it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="reviews")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    rating = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120, blank=True)
    text = models.TextField(blank=True)
    is_hidden = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "user"], name="catalog_one_review"),
            models.CheckConstraint(
                name="catalog_stars", condition=Q(rating__gte=1) & Q(rating__lte=5)
            ),
        )
        indexes = (
            models.Index(fields=["product", "-id"], name="catalog_reviews"),
            models.Index(fields=["rating", "-id"], name="catalog_reviews_by_stars"),
            models.Index(
                fields=["-id"], condition=Q(is_hidden=True), name="catalog_reviews_hidden"
            ),
        )


class Facet(models.Model):
    """How a facet of a storefront's lists is called: ``metal:gold`` is Yellow gold, of Metal."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    key = models.CharField(max_length=220)
    group = models.CharField(max_length=120)
    name = models.CharField(max_length=120)
    swatch = models.CharField(max_length=7, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "key"], name="catalog_facet_key"),
        )


class SearchWord(models.Model):
    """A word that products of a storefront are found by, with its trigrams: what a mistyped one is
    compared with."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    word = models.CharField(max_length=40)
    trigrams = ArrayField(models.CharField(max_length=3))

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "word"], name="catalog_word_once"),
        )
        indexes = (GinIndex(fields=["trigrams"], name="catalog_word_trigrams"),)


class Revision(models.Model):
    """A mark of the last change to what lists of products show, for each transaction that may
    write at once. The database keeps them; ``revision`` reads them."""

    slot = models.SmallIntegerField(primary_key=True)
    mark = models.UUIDField()


class ImportState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportRun(models.Model):
    """One import of products from a file that was uploaded. ``done`` and ``total`` count its
    products, categories and collections; ``figures`` say what came of them, ``faults`` what was
    wrong with which line."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    name = models.CharField(max_length=200)
    file = models.ForeignKey(StoredFile, models.SET_NULL, related_name="+", null=True)
    is_dry = models.BooleanField(default=False)
    state = models.CharField(max_length=7, choices=ImportState, default=ImportState.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict)
    faults = models.JSONField(default=list)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
