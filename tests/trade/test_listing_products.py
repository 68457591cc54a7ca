"""What lists of products show, in which order, and how facets are counted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from house.goods import make_product, plain
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.errors import ProductMissing
from markethall.trade.catalog.queries import (
    cards_of,
    facet_counts,
    order_of,
    product_shown,
    products_shown,
)
from markethall.trade.catalog.search import understood

pytestmark = pytest.mark.django_db


def slugs(
    sort: str = "featured", currency: str = "USD", limit: int = 2, **wishes: Any
) -> list[str]:
    """All pages of a list, one after the other."""
    found = products_shown(storefront="elysium", currency=currency, sort=sort, **wishes)
    order = order_of(sort, q=wishes.get("q", ""), collection=wishes.get("collection"))
    seen: list[str] = []
    cursor = None
    while True:
        page = paginate(found, order=order, limit=limit, cursor=cursor)
        seen += [product.slug for product in page.items]
        cursor = page.next_cursor
        if not cursor:
            return seen


def counts(**wishes: Any) -> dict[str, str]:
    groups = facet_counts(storefront="elysium", currency="USD", **wishes).groups
    return {value.key: str(value.count) for group in groups for value in group.values}


def test_only_what_is_for_sale_here_is_listed() -> None:
    plain("shown")
    plain("draft", shown=False)
    plain("elsewhere", storefront="market")
    assert slugs() == ["shown"]
    assert slugs(currency="EUR") == []


def test_every_sort_pages_through_everything_once() -> None:
    prices = {"a": 300, "b": 100, "c": 200, "d": 100, "e": 400}
    for position, (slug, price) in enumerate(prices.items()):
        plain(slug, price, position=position // 2)
    assert slugs() == ["b", "a", "d", "c", "e"]
    assert slugs("newest") == ["e", "d", "c", "b", "a"]
    assert slugs("price") == ["d", "b", "c", "a", "e"]
    assert slugs("-price") == ["e", "a", "c", "b", "d"]


def test_a_price_is_that_of_the_cheapest_configuration() -> None:
    make_product("ring")
    plain("cheap", 79_999)
    assert slugs("price") == ["cheap", "ring"]
    assert slugs(price_min=80_000) == ["ring"]
    assert slugs(price_max=79_999) == ["cheap"]
    ring = products_shown(storefront="elysium", currency="EUR").get()
    assert cards_of([ring], "EUR")[0].from_price.amount == 74_000
    assert cards_of([ring], "JPY")[0].from_price is None


def tree() -> None:
    for slug, parent in (("rings", ""), ("bands", "rings"), ("pearls", "")):
        draft = CategoryDraft(slug=slug, name=slug.title(), parent=parent)
        save_category(storefront="elysium", draft=draft, actor_id=None)


def test_facets_of_one_name_are_alternatives_and_of_several_conditions() -> None:
    tree()
    make_product("one", category="rings/bands", tags=["new"])
    make_product("two", category="rings", options=(), tags=["new"])
    plain("three", category="pearls", tags=["old"])
    assert slugs(category="rings") == ["two", "one"]
    assert slugs(facets=["tag:new", "tag:old"]) == ["three", "two", "one"]
    assert slugs(facets=["tag:new", "metal:gold"]) == ["one"]
    assert slugs(category="rings", facets=["tag:old"]) == []
    assert slugs(facets=["nonsense"]) == ["three", "two", "one"]


def test_counts_of_a_chosen_name_are_as_if_it_were_not() -> None:
    tree()
    make_product("one", category="rings/bands", tags=["new"])
    make_product("two", category="rings", options=(), tags=["new"])
    plain("three", category="pearls", tags=["old"])
    assert counts() == {
        "category:rings": "2",
        "category:rings/bands": "1",
        "category:pearls": "1",
        "metal:gold": "1",
        "metal:silver": "1",
        "tag:new": "2",
        "tag:old": "1",
    }
    assert counts(facets=["tag:old"]) == {"category:pearls": "1", "tag:new": "2", "tag:old": "1"}
    groups = facet_counts(storefront="elysium", currency="USD", facets=["metal:gold"]).groups
    metal = next(group for group in groups if group.code == "metal")
    assert (metal.name, [value.name for value in metal.values]) == (
        "Metal",
        ["Yellow gold", "Silver"],
    )
    assert [value.is_chosen for value in metal.values] == [True, False]


def test_long_lists_are_counted_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("markethall.trade.catalog.facets.COUNTED", 2)
    for number in range(4):
        plain(f"p{number}", tags=["new"])
    assert counts() == {"tag:new": "3+"}


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("diamond", ["solitaire"]),
        ("DIAMONDS", ["solitaire"]),
        ("soli", ["solitaire"]),
        ("diamond soli", ["solitaire"]),
        ('"lustrous pearl"', ["strand"]),
        ("pearl -lustrous", []),
        ("pearl or diamond", ["strand", "solitaire"]),
        ("bridal", ["solitaire"]),
        ("silver", []),
        ("the", []),
        ('"', []),
        ("a & | ! ) ( :* '", []),
        ("\x00", []),
    ],
)
def test_search_understands_what_people_type(q: str, found: list[str]) -> None:
    plain("solitaire", description="One diamond.", tags=["bridal"])
    plain("strand", description="A lustrous pearl, and another.")
    assert slugs(q=q) == found


def test_a_name_counts_more_than_a_description() -> None:
    plain("by-text", name="Band", description="Not a pearl.", position=0)
    plain("by-name", name="Pearl", position=1)
    assert slugs("relevance", q="pearl") == ["by-name", "by-text"]
    assert slugs(q="pearl") == ["by-text", "by-name"]


def test_values_and_collections_are_found_too() -> None:
    make_product("ring")
    draft = CollectionDraft("dawn", "First Light", products=["ring"])
    save_collection(storefront="elysium", draft=draft, actor_id=None)
    assert slugs(q="yellow gold") == ["ring"]
    assert slugs(q="first light") == ["ring"]


def test_a_mistyped_word_is_put_right() -> None:
    plain("solitaire", tags=["bridal"])
    plain("bracelet", summary="Moonstones, and nothing between these")
    assert understood(storefront="elysium", q="monstones") == "moonstones"
    assert understood(storefront="elysium", q="thesee") == "thesee"
    assert understood(storefront="elysium", q="solitaire") == "solitaire"
    assert understood(storefront="elysium", q="solitare") == "solitaire"
    assert understood(storefront="elysium", q="bridel braclet") == "bridal bracelet"
    assert understood(storefront="elysium", q="zzzzzz") == "zzzzzz"
    assert understood(storefront="market", q="solitare") == "solitare"


def test_a_collection_has_an_order_of_its_own() -> None:
    for slug in ("one", "two", "three"):
        plain(slug)
    draft = CollectionDraft("dawn", "Dawn", products=["two", "three"])
    save_collection(storefront="elysium", draft=draft, actor_id=None)
    assert slugs(collection="dawn") == ["two", "three"]
    assert slugs("newest", collection="dawn") == ["three", "two"]


def test_a_list_asks_as_much_for_many_as_for_few() -> None:
    asked = []
    for numbers in (range(2), range(2, 12)):
        for number in numbers:
            make_product(f"p{number}")
        with CaptureQueriesContext(connection) as queries:
            found = list(products_shown(storefront="elysium", currency="USD"))
            cards_of(found, "USD")
            facet_counts(storefront="elysium", currency="USD", facets=["metal:gold"])
        asked.append(len(queries))
    assert asked == [6, 6]


def test_a_page_has_all_of_a_product() -> None:
    tree()
    make_product("ring", category="rings/bands")
    draft = CollectionDraft("dawn", "Dawn", products=["ring"])
    save_collection(storefront="elysium", draft=draft, actor_id=None)
    with CaptureQueriesContext(connection) as queries:
        shown = product_shown("elysium", "ring")
    assert len(queries) == 6
    assert [step.name for step in shown.trail] == ["Rings", "Bands"]
    assert sorted(shown.variants)[0] == "metal=gold;size=52"
    assert [one.slug for one in shown.collections] == ["dawn"]
    assert [option.code for option in shown.spec.options] == ["metal", "size", "engraving"]


def test_what_is_not_for_sale_has_no_page() -> None:
    make_product("ring", shown=False)
    for storefront in ("elysium", "market"):
        with pytest.raises(ProductMissing):
            product_shown(storefront, "ring")
