"""Wishes, shared lists, and what was looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from house.parallel import together
from house.people import ApiClient, client_for, make_user
from markethall.foundation.accounts.models import User
from markethall.insight.analytics.actions import forget_old_glances
from markethall.insight.analytics.models import Glance, ViewCount
from markethall.kernel import clock
from markethall.trade.catalog.models import Option, OptionValue, PriceEffect, Product, ProductPrice
from markethall.trade.wishlist.actions import turn
from markethall.trade.wishlist.models import WishlistItem

pytestmark = pytest.mark.django_db


def make_ring(slug: str = "aurore", **fields: Any) -> Product:
    product = Product.objects.create(
        storefront="elysium", slug=slug, name=slug.title(), **{"status": "active", **fields}
    )
    ProductPrice.objects.create(product=product, currency="USD", amount=100_000)
    metal = Option.objects.create(product=product, code="metal", name="Metal")
    gold = OptionValue.objects.create(option=metal, code="gold", name="Gold")
    PriceEffect.objects.create(value=gold, currency="USD", amount=5_000)
    return product


def slugs(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    items = answer.json()["items"]
    return [each.get("product", each)["slug"] for each in items]


class TestWishlist:
    def test_keeps_a_configuration_with_its_price_of_now(self) -> None:
        client, ring = client_for(make_user()), make_ring()
        wish = {"productId": str(ring.pk), "configuration": {"metal": "gold"}}

        kept = client.post("/api/wishlist", wish)
        assert (kept.status_code, client.post("/api/wishlist", wish).status_code) == (201, 200)
        PriceEffect.objects.update(amount=7_000)
        (item,) = client.get("/api/wishlist").json()["items"]
        assert item["price"] == {"amount": 107_000, "currency": "USD"}
        assert item["chosen"] == [{"name": "Metal", "value": "Gold"}]

    def test_what_cannot_be_made_is_refused(self) -> None:
        client, ring = client_for(make_user()), make_ring()
        wish = {"productId": str(ring.pk), "configuration": {"metal": "lead"}}
        answer = client.post("/api/wishlist", wish)
        assert (answer.status_code, answer.json()["code"]) == (422, "configuration_invalid")

    def test_what_is_left_open_stays_open(self) -> None:
        client, ring = client_for(make_user()), make_ring()
        size = Option.objects.create(
            product=ring, code="size", name="Size", has_default=False, position=2
        )
        for price in (0, 900):
            value = OptionValue.objects.create(option=size, code=f"s{price}", name="A size")
            PriceEffect.objects.create(value=value, currency="USD", amount=price)
        wish = {"productId": str(ring.pk), "configuration": {"metal": "gold"}}
        assert client.post("/api/wishlist", wish).json()["price"] is None
        PriceEffect.objects.filter(value__option=size).update(amount=100)
        (item,) = client.get("/api/wishlist").json()["items"]
        assert item["price"] == {"amount": 105_100, "currency": "USD"}
        assert item["configuration"] == {"metal": "gold"}

    def test_says_when_a_choice_can_no_longer_be_had(self) -> None:
        client, ring = client_for(make_user()), make_ring()
        wish = {"productId": str(ring.pk), "configuration": {"metal": "gold"}}
        client.post("/api/wishlist", wish)
        OptionValue.objects.update(is_active=False)
        (item,) = client.get("/api/wishlist").json()["items"]
        assert (item["price"], item["canBeBought"]) == (None, False)

    def test_a_draft_cannot_be_wished_for(self) -> None:
        ring = make_ring(status="draft")
        answer = client_for(make_user()).post("/api/wishlist", {"productId": str(ring.pk)})
        assert answer.status_code == 404

    def test_is_ones_own(self) -> None:
        ring = make_ring()
        owner, other = client_for(make_user()), client_for(make_user())
        item = owner.post("/api/wishlist", {"productId": str(ring.pk)}).json()
        assert slugs(other.get("/api/wishlist")) == []
        assert other.delete(f"/api/wishlist?item={item['id']}").status_code == 404
        assert slugs(owner.get("/api/wishlist")) == ["aurore"]

    def test_wishes_go_one_by_one_by_product_or_all(self) -> None:
        client = client_for(make_user())
        rings = [make_ring(slug) for slug in ("one", "two", "three", "four")]
        ids = [
            client.post("/api/wishlist", {"productId": str(ring.pk)}).json()["id"] for ring in rings
        ]
        assert client.delete(f"/api/wishlist?item={ids[0]}").status_code == 204
        assert client.delete(f"/api/wishlist?productId={rings[1].pk}").status_code == 204
        assert slugs(client.get("/api/wishlist")) == ["four", "three"]
        assert client.delete("/api/wishlist").status_code == 204
        assert slugs(client.get("/api/wishlist")) == []

    def test_a_link_shows_it_until_it_is_ended(self) -> None:
        owner = make_user(name="Ada Lovelace")
        client, ring = client_for(owner), make_ring()
        client.post("/api/wishlist", {"productId": str(ring.pk)})
        assert client.get("/api/wishlist/link").json() == {"isShared": False, "url": None}

        url = client.put("/api/wishlist/link", {"isShared": True}).json()["url"]
        shared = f"/api/wishlist/shared/{url.rsplit('/', 1)[1]}"
        seen = ApiClient().get(shared)
        assert (slugs(seen), seen.json()["owner"]) == (["aurore"], "Ada")
        User.objects.filter(pk=owner.pk).update(name="")
        assert ApiClient().get(shared).json()["owner"] == "Somebody", "no part of the address"

        client.put("/api/wishlist/link", {"isShared": False})
        assert ApiClient().get(shared).status_code == 404
        assert client.put("/api/wishlist/link", {"isShared": True}).json()["url"] != url


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_of_the_heart_are_two() -> None:
    user, ring = make_user(), make_ring()

    def press() -> bool:
        return turn(user=user, product_id=ring.pk, configuration={"metal": "gold"}, currency="USD")

    assert sorted(together([press, press])) == [False, True]
    assert not WishlistItem.objects.exists()


def view(client: ApiClient, product: Product) -> Any:
    return client.post("/api/analytics/track-view", {"productId": str(product.pk)})


class TestViews:
    def test_the_latest_comes_first_and_each_once(self) -> None:
        client = client_for(make_user())
        one, two = make_ring("one"), make_ring("two")
        for ring in (one, two, one):
            assert view(client, ring).status_code == 204
        assert slugs(client.get("/api/analytics/recently-viewed")) == ["one", "two"]
        assert slugs(client_for(make_user()).get("/api/analytics/recently-viewed")) == []

    def test_looking_again_within_half_an_hour_counts_once(self) -> None:
        client, ring = client_for(make_user()), make_ring()
        view(client, ring)
        view(client, ring)
        assert ViewCount.objects.get().views == 1
        Glance.objects.update(at=clock.now() - timedelta(minutes=31))
        view(client, ring)
        assert sum(ViewCount.objects.values_list("views", flat=True)) == 2

    def test_a_visitors_views_become_theirs_at_sign_in(self) -> None:
        user, ring, other = make_user(), make_ring(), make_ring("other")
        mine = client_for(user)
        view(mine, other)
        visitor = ApiClient()
        secret = view(visitor, ring).headers["X-Visitor"]
        lately = "/api/analytics/recently-viewed"
        assert slugs(ApiClient().get(lately, headers={"X-Visitor": secret})) == ["aurore"]

        body = {"email": user.email, "password": "a-long-enough-secret"}
        login = ApiClient().post("/api/auth/login", body, headers={"X-Visitor": secret})
        assert login.status_code == 200
        assert slugs(mine.get(lately)) == ["aurore", "other"]
        assert slugs(ApiClient().get(lately, headers={"X-Visitor": secret})) == []

    def test_trending_is_what_is_looked_at_these_days(self) -> None:
        old, new, gone = make_ring("old"), make_ring("new"), make_ring("gone", status="archived")
        today = clock.now().date()
        for product, days, views in ((old, 9, 30), (new, 1, 8), (gone, 0, 99)):
            ViewCount.objects.create(product=product, day=today - timedelta(days=days), views=views)
        assert slugs(ApiClient().get("/api/analytics/trending")) == ["new", "old"]
        assert slugs(ApiClient().get("/api/analytics/trending?limit=1")) == ["new"]

    def test_who_looked_is_forgotten_and_counts_stay(self) -> None:
        view(client_for(make_user()), make_ring())
        assert forget_old_glances(clock.now() + timedelta(days=91)) == 1
        assert ViewCount.objects.get().views == 1

    def test_what_is_not_for_sale_cannot_be_looked_at(self) -> None:
        assert view(ApiClient(), make_ring(status="draft")).status_code == 404
        assert ApiClient().post("/api/analytics/track-view", {}).status_code == 422
