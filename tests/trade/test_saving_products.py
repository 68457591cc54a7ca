"""A product is saved whole, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from house.goods import METAL, RING, SIZE, make_product
from house.parallel import together
from markethall.foundation.audit.models import AuditEntry
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.actions.categories import (
    CategoryDraft,
    delete_category,
    save_category,
)
from markethall.trade.catalog.actions.change_prices import change_prices
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.actions.move_products import move_product
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft, draft_of
from markethall.trade.catalog.errors import (
    CategoryInUse,
    ChangedMeanwhile,
    SkuTaken,
    SlugTaken,
    StatusMoveNotAllowed,
)
from markethall.trade.catalog.models import Category, Product, ProductStatus, Variant
from markethall.trade.catalog.specs import specs_of

pytestmark = pytest.mark.django_db


def save(draft: ProductDraft, product: Product | None = None, **more: object) -> Product:
    return save_product(
        storefront="elysium",
        draft=draft,
        actor_id=None,
        product_id=product.pk if product else None,
        **more,
    ).product


def faults(draft: ProductDraft) -> list[str]:
    with pytest.raises(Invalid) as refused:
        save(draft)
    return [error.path for error in refused.value.errors]


def keys(product: Product) -> dict[str, bool]:
    rows = Variant.objects.filter(product=product).order_by("key")
    return {row.key: row.is_active for row in rows}


def test_what_was_saved_is_read_again() -> None:
    product = save(RING)
    read = draft_of(Product.objects.get(pk=product.pk))
    assert read == replace(
        RING,
        skus={
            "metal=gold;size=52": "AURORE-GOLD-52",
            "metal=gold;size=54": "AURORE-GOLD-54",
            "metal=silver;size=52": "AURORE-SILVER-52",
            "metal=silver;size=54": "AURORE-SILVER-54",
        },
    )
    assert read.spec() == specs_of([product.pk])[product.pk]


def test_saving_the_same_writes_nothing() -> None:
    product = save(RING)
    acts = AuditEntry.objects.count()
    again = save_product(storefront="elysium", draft=RING, actor_id=None, product_id=product.pk)
    assert not again.changed
    assert again.product.updated_at == product.updated_at
    assert AuditEntry.objects.count() == acts


def test_variants_follow_the_stocked_options_and_never_go() -> None:
    product = save(RING)
    before = {row.key: row.pk for row in Variant.objects.filter(product=product)}
    platinum = ValueDraft("platinum", "Platinum", {"USD": 90_000, "EUR": 80_000})
    metal = replace(METAL, values=[METAL.values[0], platinum])
    save(replace(RING, options=[metal, SIZE]), product)
    assert keys(product) == {
        "metal=gold;size=52": True,
        "metal=gold;size=54": True,
        "metal=platinum;size=52": True,
        "metal=platinum;size=54": True,
        "metal=silver;size=52": False,
        "metal=silver;size=54": False,
    }
    save(RING, product)
    assert {row.key: row.pk for row in Variant.objects.filter(product=product)}.items() >= (
        before.items()
    )


def test_options_in_another_order_keep_their_variants() -> None:
    product = save(RING)
    before = set(Variant.objects.filter(product=product).values_list("pk", flat=True))
    save(replace(RING, options=[SIZE, METAL]), product)
    after = Variant.objects.filter(product=product)
    assert {row.pk for row in after} == before
    assert {row.key for row in after} >= {"size=52;metal=gold", "size=54;metal=silver"}


def test_a_stocked_option_that_may_be_left_open_has_a_variant_without() -> None:
    box = OptionDraft("box", "Box", [ValueDraft("oak", "Oak")], is_required=False, is_stocked=True)
    product = save(replace(RING, options=[box]))
    assert keys(product) == {"": True, "box=oak": True}


def test_a_product_without_options_has_one_variant() -> None:
    product = save(replace(RING, options=(), skus={"": "AUR.1"}))
    assert list(Variant.objects.filter(product=product).values_list("sku", flat=True)) == ["AUR.1"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"slug": "Not a slug"}, "slug"),
        ({"name": " "}, "name"),
        ({"prices": {"XXL": 1}}, "prices.XXL"),
        ({"prices": {"USD": 0, "EUR": 92_000}}, "prices.USD"),
        ({"prices": {"USD": 100_000, "JPY": 15_000}}, "options.0.values.0.effects.JPY"),
        ({"prices": {"USD": 20_000, "EUR": 92_000}}, "prices.USD"),
        ({"tax_category": "none"}, "taxCategory"),
        ({"tags": ["a:b"]}, "tags.0"),
        ({"options": [METAL, METAL]}, "options.0.code"),
        ({"options": [replace(METAL, code="category")]}, "options.0.code"),
        ({"options": [replace(METAL, values=())]}, "options.0.values"),
        ({"options": [replace(METAL, kind="text")]}, "options.0.values"),
        ({"skus": {"metal=lead": "X"}}, "skus.metal=lead"),
        ({"skus": {"metal=gold;size=52": "a b"}}, "skus.metal=gold;size=52"),
        ({"weight_grams": -1}, "weightGrams"),
        ({"category": "nowhere"}, "category"),
        ({"collections": ["nothing"]}, "collections"),
    ],
)
def test_every_fault_has_its_field(changes: dict[str, object], path: str) -> None:
    assert path in faults(replace(RING, **changes))  # type: ignore[arg-type]
    assert not Product.objects.exists()


@pytest.mark.parametrize("allowed", ["a]", "z-a", "[[x", "a]|.*[b", "\\"])
def test_allowed_characters_are_the_inside_of_a_class(allowed: str) -> None:
    text = OptionDraft("note", "Note", kind="text", max_length=5, allowed=allowed)
    assert faults(replace(RING, options=[text])) == ["options.0.allowed"]


def test_too_many_variants_are_refused() -> None:
    options = [
        OptionDraft(
            f"o{number}",
            "Option",
            [ValueDraft(f"v{each}", "Value") for each in range(40)],
            is_stocked=True,
        )
        for number in range(2)
    ]
    assert faults(replace(RING, options=options)) == ["options"]


def test_slugs_and_skus_are_unique() -> None:
    save(RING)
    with pytest.raises(SlugTaken):
        save(RING)
    with pytest.raises(SkuTaken):
        save(replace(RING, slug="other", skus={"metal=gold;size=52": "AURORE-GOLD-52"}))
    save_product(storefront="market", draft=replace(RING, skus=_skus("M-")), actor_id=None)


def _skus(prefix: str) -> dict[str, str]:
    return {
        f"metal={metal};size={size}": f"{prefix}{metal}-{size}"
        for metal in ("gold", "silver")
        for size in ("52", "54")
    }


def test_who_read_an_older_state_is_told() -> None:
    product = save(RING)
    read_at = product.updated_at
    save(replace(RING, name="Aurora"), product)
    with pytest.raises(ChangedMeanwhile):
        save(replace(RING, name="Aurore II"), product, unchanged_since=read_at)


def test_states_move_as_they_may() -> None:
    product = save(RING)
    for to in ("submitted", "rejected", "submitted", "active", "archived", "active"):
        move_product(product_id=product.pk, to=ProductStatus(to), actor_id=None, note="So be it")
    product.refresh_from_db()
    assert product.published_at is not None
    with pytest.raises(StatusMoveNotAllowed):
        move_product(product_id=product.pk, to=ProductStatus.SUBMITTED, actor_id=None)


def test_what_has_no_price_is_not_shown() -> None:
    product = save(replace(RING, prices={}, options=()))
    with pytest.raises(StatusMoveNotAllowed):
        move_product(product_id=product.pk, to=ProductStatus.ACTIVE, actor_id=None)


def test_prices_change_with_what_options_add() -> None:
    product = make_product()
    change_prices(product_ids=[product.pk], basis_points=1_000, actor_id=None)
    changed = draft_of(product)
    assert changed.prices == {"EUR": 101_200, "USD": 110_000}
    assert changed.options[0].values[1].effects == {"EUR": -19_800, "USD": -22_000}
    with pytest.raises(Invalid):
        change_prices(product_ids=[product.pk], basis_points=-10_000, actor_id=None)


def category(slug: str, parent: str = "", row: Category | None = None) -> Category:
    return save_category(
        storefront="elysium",
        draft=CategoryDraft(slug=slug, name=slug.title(), parent=parent),
        actor_id=None,
        category_id=row.pk if row else None,
    )


def facets(product: Product) -> list[str]:
    product.refresh_from_db()
    return list(product.facets)


def test_a_category_that_moves_takes_along_what_is_in_it() -> None:
    rings, bands = category("rings"), category("bands", "rings")
    category("jewellery")
    product = make_product(category="rings/bands", options=(), tags=())
    assert facets(product) == ["category:rings", "category:rings/bands"]
    category("rings", "jewellery", rings)
    bands.refresh_from_db()
    assert bands.path == "jewellery/rings/bands"
    assert facets(product) == [
        "category:jewellery",
        "category:jewellery/rings",
        "category:jewellery/rings/bands",
    ]


def test_a_category_cannot_stand_within_itself() -> None:
    rings = category("rings")
    category("bands", "rings")
    for parent in ("rings", "rings/bands"):
        with pytest.raises(Invalid) as refused:
            category("rings", parent, rings)
        assert refused.value.errors[0].code == "circle"


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle() -> None:
    one, two = category("one"), category("two")
    results = together([lambda: category("one", "two", one), lambda: category("two", "one", two)])
    refused = [result for result in results if isinstance(result, Invalid)]
    assert len(refused) == 1
    assert sorted(Category.objects.values_list("path", flat=True)) in (
        ["one", "one/two"],
        ["two", "two/one"],
    )


def test_a_category_in_use_is_not_deleted() -> None:
    rings = category("rings")
    make_product(category="rings")
    actor = rings.pk
    with pytest.raises(CategoryInUse):
        delete_category(storefront="elysium", category_id=rings.pk, actor_id=actor)


def test_a_collection_gives_its_products_a_facet() -> None:
    first, second = make_product("first", options=()), make_product("second", options=())
    collection = save_collection(
        storefront="elysium",
        draft=CollectionDraft("dawn", "Dawn", products=["second", "first"]),
        actor_id=None,
    )
    assert "collection:dawn" in facets(first)
    save_collection(
        storefront="elysium",
        draft=CollectionDraft("dusk", "Dusk", products=["first"]),
        actor_id=None,
        collection_id=collection.pk,
    )
    assert "collection:dusk" in facets(first)
    assert not {"collection:dawn", "collection:dusk"} & set(facets(second))
