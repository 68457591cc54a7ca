"""ELYSIUM's shop window: lists, the configurator, and what search engines read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as xml

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from house.goods import METAL, SIZE, make_product, plain
from house.shelf import stocked
from markethall.insight.analytics.actions import look
from markethall.interfaces.web.elysium.ring_sizes import uk_size, us_size
from markethall.trade.cart.models import CartLine
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.models import Product

pytestmark = pytest.mark.django_db
PAGES = ["", "/shop", "/shop/rings", "/collections", "/collections/dawn", "/pieces/aurore"]
PAGES += ["/search", "/search?q=aurroe", "/size-guide", "/delivery", "/bespoke", "/bag"]


@pytest.fixture
def ring() -> Product:
    save_category(storefront="elysium", draft=CategoryDraft("rings", "Rings"), actor_id=None)
    save_collection(storefront="elysium", draft=CollectionDraft("dawn", "Dawn"), actor_id=None)
    ring = make_product(category="rings", collections=["dawn"])
    for variant in ring.variants.all():
        stocked(variant, 0 if "size=54" in variant.key else 2)
    return ring


def page(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def price_in(text: str) -> str:
    found = re.search(r'price--large">([^<]+)<', text)
    assert found
    return found[1].strip()


def documents(text: str) -> dict[str, Any]:
    """The schema.org documents of a page, by their type."""
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    return {each["@type"]: each for each in map(json.loads, found)}


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_window_opens(client: Client, path: str) -> None:
    text = page(client, f"/elysium{path}")
    assert 'data-theme="elysium"' in text
    assert "<h1" in text
    if path in {"/shop", "/shop/rings", "/collections/dawn", "/search?q=aurroe"}:
        assert "/elysium/pieces/aurore" in text


@pytest.mark.usefixtures("ring")
def test_the_home_page_has_a_picture_by_day_and_one_by_night(client: Client) -> None:
    text = page(client, "/elysium")
    for name in re.findall(r"/static/(img/elysium/[a-z]+)[^\"]*\.webp", text):
        assert finders.find(f"{name}.webp"), name
    cover = text[text.index("<picture>") : text.index("</picture>")]
    assert re.findall(r"<(?:source|img)[^>]*/(morning|night)\.", cover) == ["night", "morning"]
    for mode, media in (("dark", "all"), ("light", "not all")):
        client.cookies["mode"] = mode
        assert f'<source data-night media="{media}"' in page(client, "/elysium")
    assert "Configure yours" in text


@pytest.mark.parametrize("path", ["pieces/none", "shop/none", "collections/none"])
def test_what_there_is_not_is_not_found(client: Client, path: str) -> None:
    answer = client.get(f"/elysium/{path}")
    assert answer.status_code == 404
    assert 'data-theme="elysium"' in answer.content.decode()


@pytest.mark.usefixtures("ring")
def test_the_server_prices_what_is_chosen(client: Client) -> None:
    assert price_in(page(client, "/elysium/pieces/aurore")) == "$1,500"
    silver = "/elysium/pieces/aurore?option.metal=silver&option.size=52"
    assert price_in(page(client, silver)) == "$800"
    assert price_in(page(client, f"{silver}&option.engraving=Ada")) == "$850"
    assert price_in(page(client, f"{silver}&currency=EUR")) == "€740"
    # The choice stays.
    assert price_in(page(client, silver)) == "€740"


@pytest.mark.usefixtures("ring")
def test_what_cannot_be_made_is_said(client: Client) -> None:
    text = page(client, "/elysium/pieces/aurore?option.engraving=1234")
    assert "cannot be used here" in text
    assert re.search(r'<button class="button" data-buys disabled>', text)


def asked_for(code: str, *, price: int = 0) -> Product:
    """A ring whose size nobody chooses but the customer; its sizes 52 and 54."""
    dearer = replace(SIZE.values[1], effects={"USD": price, "EUR": price})
    size = replace(SIZE, has_default=False, values=[SIZE.values[0], dearer])
    ring = make_product(code, options=[METAL, size])
    for variant in ring.variants.all():
        stocked(variant, 0 if "metal=silver" in variant.key else 2)
    return ring


def field(text: str, code: str) -> str:
    """What stands in the page about an option."""
    found = re.search(rf'<(fieldset|div) class="option.{{1,80}}?e-{code}.*?</\1>', text, re.DOTALL)
    assert found, code
    return found[0]


def test_what_must_be_chosen_is_not_chosen_for_anybody(client: Client) -> None:
    asked_for("aurore")
    text = page(client, "/elysium/pieces/aurore")
    assert "checked" not in field(text, "size")
    assert price_in(text) == "$1,500"
    assert "depends on size" in text
    assert "Choose size." not in text
    assert "Only 2 left" not in text
    assert documents(text)["Product"]["offers"]["availability"].endswith("/LimitedAvailability")
    assert "Sold out" in page(client, "/elysium/pieces/aurore?option.metal=silver")
    assert "Only 2 left" in page(client, "/elysium/pieces/aurore?option.size=52")


def test_a_price_that_depends_on_what_is_missing_is_the_least(client: Client) -> None:
    asked_for("aurore", price=2_000)
    assert price_in(page(client, "/elysium/pieces/aurore")) == "From $1,500"
    assert price_in(page(client, "/elysium/pieces/aurore?option.size=54")) == "$1,520"


def test_what_is_missing_is_said_at_its_field_with_the_focus_there(client: Client) -> None:
    asked_for("aurore")
    sent = {"product": "aurore", "option.metal": "silver"}
    answer = client.post("/elysium/bag/lines", sent)
    assert answer.status_code == 303
    shown = field(page(client, answer["Location"]), "size")
    assert "Choose size." in shown
    assert "autofocus" in shown
    assert "option.metal=silver" in answer["Location"]

    headers = {"HX-Request": "true", "HX-Trigger": "configurator", "HX-Target": "panel-body"}
    answer = client.post("/elysium/bag/lines", sent, headers=headers)
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#choices")
    shown = answer.content.decode()
    assert "Choose size." in field(shown, "size")
    assert "autofocus" in field(shown, "size")
    assert "autofocus" not in field(shown, "metal")
    assert 'value="silver" id="o-metal-silver" checked' in field(shown, "metal")
    assert not CartLine.objects.exists()


def test_from_elsewhere_what_is_missing_leads_to_the_piece(client: Client) -> None:
    asked_for("aurore")
    sent = {"product": "aurore", "option.metal": "gold"}
    answer = client.post("/elysium/bag/lines", sent, headers={"HX-Request": "true"})
    assert "Choose size." in page(client, answer["HX-Redirect"])


@pytest.mark.usefixtures("ring")
def test_availability_is_of_the_variant(client: Client) -> None:
    assert "Only 2 left" in page(client, "/elysium/pieces/aurore?option.size=52")
    gone = page(client, "/elysium/pieces/aurore?option.size=54")
    assert "Sold out" in gone
    assert "option.size=52" in gone


@pytest.mark.usefixtures("ring")
def test_without_scripts_the_choice_is_an_address(client: Client) -> None:
    sent = {"option.metal": "silver", "option.size": "52", "option.engraving": ""}
    answer = client.post("/elysium/pieces/aurore/configure", sent)
    assert answer.status_code == 303
    assert "option.metal=silver" in answer["Location"]
    assert "engraving" not in answer["Location"]


def test_filters_stand_in_the_address(client: Client) -> None:
    make_product("gold-and-silver")
    plain("cheap", 10_000)
    everything = page(client, "/elysium/shop")
    assert "pieces/cheap" in everything
    silver = page(client, "/elysium/shop?facet=metal:silver")
    assert "pieces/gold-and-silver" in silver
    assert "pieces/cheap" not in silver
    assert 'value="metal:silver" checked' in silver
    under = page(client, "/elysium/shop?price_max=200")
    assert "pieces/cheap" in under
    assert "pieces/gold-and-silver" not in under
    dearest = page(client, "/elysium/shop?sort=-price")
    assert dearest.index("pieces/gold-and-silver") < dearest.index("pieces/cheap")


@pytest.mark.parametrize("query", ["facet=%00", "price_min=-3", "price_max=x", "sort=nothing"])
def test_filters_that_make_no_sense_are_none(client: Client, query: str) -> None:
    plain("cheap")
    assert "pieces/cheap" in page(client, f"/elysium/shop?{query}")


def test_further_pieces_come_alone(client: Client) -> None:
    for number in range(26):
        plain(f"piece-{number}")
    first = page(client, "/elysium/shop")
    more = re.search(r'hx-get="(/elysium/shop\?cursor=[^"]+)"', first)
    assert more
    rest = page(client, more[1].replace("&amp;", "&"), **{"HX-Request": "true"})
    assert rest.count("<article") == 2
    assert "<html" not in rest


def test_lists_ask_as_much_for_many_as_for_one(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    plain("only")
    with django_assert_max_num_queries(14) as few:
        page(client, "/elysium/shop")
    for number in range(20):
        plain(f"piece-{number}")
    with django_assert_max_num_queries(len(few)):
        page(client, "/elysium/shop")


@pytest.mark.usefixtures("ring")
def test_search_engines_read_the_offer(client: Client, settings: Any) -> None:
    found = documents(page(client, "/elysium/pieces/aurore?option.metal=silver"))
    offer = found["Product"]["offers"]
    assert (offer["price"], offer["priceCurrency"]) == ("800.00", "USD")
    assert offer["availability"].endswith("/LimitedAvailability")
    assert found["Product"]["url"] == f"{settings.SITE_URL}/elysium/pieces/aurore"
    names = [each["name"] for each in found["BreadcrumbList"]["itemListElement"]]
    assert names == ["ELYSIUM", "Rings", "Aurore"]


def test_data_for_search_engines_cannot_break_out_of_its_place(client: Client) -> None:
    make_product("odd", name="</script><b>Odd")
    text = page(client, "/elysium/pieces/odd")
    assert "</script><b>" not in text
    assert documents(text)["Product"]["name"] == "</script><b>Odd"


@pytest.mark.usefixtures("ring")
def test_pages_name_their_one_address(client: Client, settings: Any) -> None:
    text = page(client, "/elysium/pieces/aurore?option.metal=silver")
    canonical = f'<link rel="canonical" href="{settings.SITE_URL}/elysium/pieces/aurore">'
    assert canonical in text
    assert 'property="og:title" content="Aurore"' in text
    assert '<meta name="description" content="A ring like the first light">' in text


@pytest.mark.usefixtures("ring")
def test_the_sitemap_lists_what_is_shown(client: Client, settings: Any) -> None:
    make_product("secret", shown=False)
    answer = client.get("/sitemap.xml")
    assert answer["Content-Type"] == "application/xml"
    found = [each.text for each in xml.fromstring(answer.content).iter() if each.text]
    for path in ("/elysium", "/shop/rings", "/collections/dawn", "/pieces/aurore"):
        assert any(str(text).endswith(path) for text in found), path
    assert not any("secret" in str(text) for text in found)
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in client.get("/robots.txt").content.decode()


@pytest.mark.parametrize(
    ("millimetres", "us", "uk"),
    [
        (46.8, "4", "H½"),
        (50, "5¼", "K"),
        (51.9, "6", "L½"),
        (54.4, "7", "N½"),
        (56.9, "8", "P½"),
        (60, "9¼", "S"),
        (62.1, "10", "T½"),
        (68.75, "12½", "Z"),
    ],
)
def test_ring_sizes_are_those_of_the_standards(millimetres: float, us: str, uk: str) -> None:
    assert (us_size(millimetres), uk_size(millimetres)) == (us, uk)


def test_the_size_guide_says_what_a_size_is_elsewhere(client: Client) -> None:
    text = page(client, "/elysium/size-guide")
    row = re.search(r">52 mm</th><td>([^<]*)</td><td>([^<]*)</td><td>([^<]*)<", text)
    assert row
    assert row.groups() == ("16.6 mm", "6", "L½")
    assert text.count("</th><td>") == 10


def test_a_wish_reaches_the_house(client: Client) -> None:
    from markethall.trade.leads.models import Lead

    sent = {"name": "Ada", "email": "ada@example.com", "notes": "A ring with my stone"}
    assert client.post("/elysium/bespoke", {**sent, "email": "no"}).status_code == 422
    answer = client.post("/elysium/bespoke", {**sent, "budget": "4000"})
    assert (answer.status_code, answer["Location"]) == (303, "/elysium/bespoke/thanks")
    lead = Lead.objects.get()
    assert str(lead.budget_money) == "$4,000.00"
    assert client.get(answer["Location"]).status_code == 200


def test_what_is_not_there_is_said_within_the_shop(client: Client) -> None:
    for path in ("/elysium/pieces/nothing", "/elysium/nowhere", "/elysium/shop/nothing"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        shown = str(answer.content.decode())
        assert 'action="/elysium/search"' in shown
        assert 'href="/elysium/bag"' in shown
        assert 'content="noindex"' in shown


@pytest.mark.usefixtures("ring")
def test_a_search_without_result_leads_on(client: Client) -> None:
    plain("meteor", name="Meteor")
    plain("moonstone", name="Moonstone")
    make_product("eurydice", prices={"EUR": 9_000}, options=())
    shown = page(client, "/elysium/search?q=zzzzqq")
    assert "Nothing by that name" in shown
    assert "looked for “zzzzqq”" in shown
    assert "Did you mean" not in shown
    assert 'href="/elysium/shop/rings"' in shown[shown.index('id="results"') :]
    assert_liked(shown, "aurore", "meteor", "moonstone")

    shown = page(client, "/elysium/search?q=eurxxxce")  # too far to be put right, and for euros
    assert re.findall(r'href="/elysium/search\?q=([^"]+)"', shown) == []
    shown = page(client, "/elysium/search?q=moxnxtoxe")
    assert re.findall(r'href="/elysium/search\?q=([^"]+)"', shown) == ["moonstone"]
    shown = page(client, "/elysium/search?q=meteor+moonstone+aluminium")
    assert re.findall(r'href="/elysium/search\?q=([^"]+)"', shown) == ["meteor", "moonstone"]
    assert "Our choice</h2>" in shown
    look(viewer="somebody", product_id=Product.objects.get(slug="meteor").pk)
    assert_liked(page(client, "/elysium/search?q=zzzzqq"), "meteor")
    shown = page(client, "/elysium/search")
    assert "Liked these days</h2>" in shown
    assert_liked(shown, "meteor")


@pytest.mark.usefixtures("ring")
def test_a_word_put_right_is_said(client: Client) -> None:
    shown = page(client, "/elysium/search?q=aurroe")
    assert "Nothing is called “aurroe”. These are for “aurore”." in shown
    assert "Nothing is called" not in page(client, "/elysium/search?q=aurore")


@pytest.mark.usefixtures("ring")
def test_filters_without_result_say_which_to_leave(client: Client) -> None:
    plain("meteor", tags=["rare"])
    shown = page(client, "/elysium/shop?facet=metal:gold&facet=tag:rare&price_max=99999")
    results = shown[shown.index('id="results"') :]
    assert "Nothing quite like it" in results
    assert "<strong>Yellow gold</strong>, <strong>rare</strong> and <strong>Up to" in results
    ways = re.findall(r'href="([^"]+)">Without “(.+?)” <span class="muted num">(\d+)<', results)
    kept_gold = "/elysium/shop?facet=metal%3Agold&amp;price_max=99999"
    kept_rare = "/elysium/shop?facet=tag%3Arare&amp;price_max=99999"
    assert ways == [(kept_rare, "Yellow gold", "1"), (kept_gold, "rare", "1")]
    for url, _, _ in ways:
        assert 'class="product"' in page(client, url.replace("&amp;", "&"))
    assert_liked(results, "aurore", "meteor")


def assert_liked(shown: str, *slugs: str) -> None:
    liked = shown[shown.index('id="liked"') :]
    assert set(re.findall(r'href="/elysium/pieces/([a-z-]+)"', liked)) == set(slugs)
