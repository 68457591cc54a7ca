"""A piece is shown in the metal that was chosen, wherever it is shown."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.test import Client

from house.goods import make_product
from house.people import client_for, make_user, page_client
from house.photos import photo
from house.shelf import stocked
from markethall.flows.cart_checkout import check_out
from markethall.trade.cart.models import Cart
from markethall.trade.catalog.actions.pictures import Upload, add_picture
from markethall.trade.catalog.models import Product, ProductImage

pytestmark = pytest.mark.django_db(transaction=True)
SILVER = {"option.metal": "silver", "option.size": "52"}


@pytest.fixture
def ring() -> Product:
    """A ring with a picture in gold, one in silver, and one of its box."""
    ring = make_product()
    for variant in ring.variants.all():
        stocked(variant, 5)
    for width, shows in ((400, ["metal:gold"]), (500, ["metal:silver"]), (600, [])):
        content = photo(size=(width, 400))
        upload = Upload(io.BytesIO(content), len(content))
        add_picture(product_id=ring.pk, upload=upload, shows=shows, actor_id=None)
    return ring


def of(ring: Product, *shows: str) -> str:
    return str(ProductImage.objects.get(product=ring, shows=list(shows)).pk)


def pictures_in(answer: Any, part: str) -> list[str]:
    """The pictures in a page behind the first place where ``part`` stands, each once."""
    assert answer.status_code == 200, answer.status_code
    text = answer.content.decode().partition(part)[2]
    return list(dict.fromkeys(re.findall(r"/media/products/([0-9a-f-]{36})/", text)))


def test_the_pictures_are_of_the_metal_that_was_chosen(client: Client, ring: Product) -> None:
    shown = pictures_in(client.get("/elysium/pieces/aurore", SILVER), 'id="stage"')
    assert shown == [of(ring, "metal:silver"), of(ring)]

    ada = make_user()
    browser = page_client(ada)
    browser.post("/elysium/pieces/aurore/keep", SILVER)
    browser.post("/elysium/bag/lines", {"product": "aurore", **SILVER})
    for page in ("wishlist", "bag"):
        shown = pictures_in(browser.get(f"/elysium/{page}"), "bag-line__picture")
        assert shown == [of(ring, "metal:silver")], page

    api = client_for(ada)
    (wish,) = api.get("/api/wishlist").json()["items"]
    assert wish["product"]["image"]["id"] == of(ring, "metal:silver")
    (line,) = api.get("/api/cart").json()["lines"]
    assert line["imageId"] == of(ring, "metal:silver")

    started = check_out(
        cart=Cart.objects.get(),
        customer=ada,
        shipping_address={
            "name": "Ada Byron",
            "line1": "Lindenweg 4",
            "postal_code": "10115",
            "city": "Berlin",
            "country": "DE",
        },
        method_code="insured",
        key="once",
    )
    page = browser.get(f"/orders/{started.order.pk}")
    assert pictures_in(page, "<main") == [of(ring, "metal:silver")]
    listed = pictures_in(browser.get("/elysium/account/orders"), "<main")
    assert listed[0] == of(ring, "metal:silver")


def test_a_metal_without_a_picture_of_its_own_is_shown_by_one_of_none(ring: Product) -> None:
    ProductImage.objects.filter(shows=["metal:silver"]).delete()
    browser = page_client(make_user())
    browser.post("/elysium/pieces/aurore/keep", SILVER)
    assert pictures_in(browser.get("/elysium/wishlist"), "bag-line__picture") == [of(ring)]
