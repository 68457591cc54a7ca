"""Products over HTTP: listed and searched by anybody, written by who keeps the catalogue."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from house.goods import bought, make_product, plain
from house.people import ApiClient, client_for, make_user
from house.photos import photo
from markethall.flows.erasure import erase_account
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.trade.catalog.models import Product, Review

pytestmark = pytest.mark.django_db

RING: dict[str, Any] = {
    "slug": "aurore",
    "name": "Aurore",
    "prices": [{"amount": 100_000, "currency": "USD"}],
    "details": [{"name": "Stone", "value": "Diamond"}],
    "options": [
        {
            "code": "metal",
            "name": "Metal",
            "isStocked": True,
            "values": [
                {
                    "code": "gold",
                    "name": "Gold",
                    "swatch": "#d4af37",
                    "effects": [{"amount": 50_000, "currency": "USD"}],
                },
                {"code": "silver", "name": "Silver"},
            ],
        },
        {
            "code": "engraving",
            "name": "Engraving",
            "kind": "text",
            "isRequired": False,
            "maxLength": 5,
            "allowed": "A-Z ",
            "effects": [{"amount": 2_500, "currency": "USD"}],
        },
    ],
}


@pytest.fixture
def keeper() -> ApiClient:
    return client_for(make_user(role=Role.ADMIN))


def slugs(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["slug"] for item in answer.json()["items"]]


def test_a_product_goes_from_draft_to_shelf_to_archive(keeper: ApiClient) -> None:
    made = keeper.post("/api/products", RING)
    assert made.status_code == 201, made.content
    assert (made.json()["status"], made.json()["storefront"]) == ("draft", "elysium")
    assert [each["sku"] for each in made.json()["variants"]] == ["AURORE-GOLD", "AURORE-SILVER"]
    visitor = ApiClient()
    assert visitor.get("/api/products/aurore").status_code == 404
    assert keeper.get("/api/products/aurore").status_code == 200
    rejected = keeper.post(f"/api/products/{made.json()['id']}/reject", {"note": "Too dark"})
    assert rejected.json()["statusNote"] == "Too dark"
    assert keeper.post("/api/products/aurore/approve").json()["status"] == "active"
    assert slugs(visitor.get("/api/products")) == ["aurore"]
    assert visitor.get(f"/api/products/{made.json()['id']}").json()["details"] == [
        {"name": "Stone", "value": "Diamond"}
    ]
    assert keeper.delete("/api/products/aurore").json()["status"] == "archived"
    assert slugs(visitor.get("/api/products")) == []
    assert Product.objects.exists()
    acts = AuditEntry.objects.filter(action__startswith="product.").values_list("action", flat=True)
    assert set(acts) == {
        "product.create",
        "product.rejected",
        "product.active",
        "product.archived",
    }


def test_what_is_read_can_be_saved_again(keeper: ApiClient) -> None:
    keeper.post("/api/products", RING)
    assert keeper.get("/api/products/aurore").json()["options"][1]["allowed"] == "A-Z "
    read = keeper.get("/api/products/aurore").json()
    body = {name: read[name] for name in RING} | {"updatedAt": read["updatedAt"]}
    body["options"] = [
        {name: value for name, value in option.items() if value not in ([], "", None)}
        for option in body["options"]
    ]
    assert keeper.put("/api/products/aurore", body | {"name": "Aurora"}).status_code == 200
    late = keeper.put("/api/products/aurore", body)
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")


def test_what_has_no_default_is_asked_for_by_its_path(keeper: ApiClient) -> None:
    metal = RING["options"][0] | {"hasDefault": False}
    made = keeper.post("/api/products", RING | {"options": [metal]}).json()
    assert made["options"][0]["hasDefault"] is False
    keeper.post("/api/products/aurore/approve")
    for path in ("/api/products/aurore/price", "/api/cart"):
        body = {"configuration": {}} | ({"product": "aurore"} if path == "/api/cart" else {})
        answer = ApiClient().post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "configuration_invalid")
        assert [each["path"] for each in answer.json()["errors"]] == ["configuration.metal"]


def test_faults_name_their_fields(keeper: ApiClient) -> None:
    answer = keeper.post("/api/products", RING | {"category": "nowhere", "slug": "a b"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "slug")
    answer = keeper.post("/api/products", RING | {"prices": []})
    assert answer.status_code == 201
    assert keeper.post("/api/products/aurore/approve").json()["code"] == "status_move_not_allowed"
    assert keeper.post("/api/products", RING).json()["code"] == "slug_taken"


def test_a_configuration_is_priced_on_the_server() -> None:
    make_product()
    visitor = ApiClient()
    chosen = {"metal": "gold", "size": "52", "engraving": "Always"}
    answer = visitor.post("/api/products/aurore/price", {"configuration": chosen})
    assert answer.status_code == 200, answer.content
    assert answer.json()["price"] == {"amount": 155_000, "currency": "USD"}
    assert answer.json()["variant"]["sku"] == "AURORE-GOLD-52"
    assert answer.json()["available"] == 0
    euros = visitor.post(
        "/api/products/aurore/price", {"configuration": chosen}, headers={"X-Currency": "EUR"}
    )
    assert euros.json()["price"] == {"amount": 142_600, "currency": "EUR"}
    wrong = visitor.post("/api/products/aurore/price", {"configuration": {"metal": "lead"}})
    assert wrong.status_code == 422
    assert {each["path"] for each in wrong.json()["errors"]} == {
        "configuration.metal",
        "configuration.size",
    }


def test_lists_are_narrowed_sorted_and_counted() -> None:
    make_product("ring", tags=["new"])
    plain("chain", 5_000)
    visitor = ApiClient()
    assert slugs(visitor.get("/api/products?sort=price")) == ["chain", "ring"]
    assert slugs(visitor.get("/api/products?priceMin=6000")) == ["ring"]
    assert slugs(visitor.get("/api/products?facet=metal:gold&facet=metal:lead")) == ["ring"]
    assert slugs(visitor.get("/api/products?currency=EUR")) == ["ring"]
    assert slugs(visitor.get("/api/products", headers={"X-Storefront": "market"})) == []
    page = visitor.get("/api/products?limit=1&facets=true").json()
    assert page["items"][0]["price"] == {"amount": 5_000, "currency": "USD"}
    metal = next(group for group in page["facets"] if group["code"] == "metal")
    assert [(each["name"], each["count"]) for each in metal["values"]] == [
        ("Yellow gold", 1),
        ("Silver", 1),
    ]
    rest = visitor.get(f"/api/products?limit=1&cursor={page['nextCursor']}")
    assert slugs(rest) == ["ring"]


def test_search_puts_a_mistyped_word_right() -> None:
    plain("solitaire")
    answer = ApiClient().get("/api/products/search?q=solitare")
    assert slugs(answer) == ["solitaire"]
    assert answer.json()["searchedFor"] == "solitaire"


def test_a_search_without_result_answers_an_empty_list() -> None:
    plain("solitaire")
    answer = ApiClient().get("/api/products/search?q=zzzzqq+solitaire")
    assert answer.status_code == 200
    nothing = {"items": [], "nextCursor": None, "facets": [], "searchedFor": "zzzzqq solitaire"}
    assert answer.json() == nothing


def test_only_keepers_see_what_is_not_for_sale(keeper: ApiClient) -> None:
    make_product("draft-ring", shown=False)
    assert slugs(keeper.get("/api/products?status=draft")) == ["draft-ring"]
    assert slugs(keeper.get("/api/products?status=all&q=DRAFT-RING-GOLD-52")) == ["draft-ring"]
    assert ApiClient().get("/api/products?status=draft").status_code == 403


def test_many_change_together_or_not_at_all(keeper: ApiClient) -> None:
    ids = [str(make_product(slug, shown=False).pk) for slug in ("one", "two")]
    assert keeper.post("/api/products/bulk", {"ids": ids, "action": "activate"}).json() == {
        "changed": 2
    }
    raised = keeper.post("/api/products/bulk", {"ids": ids, "action": "price", "percent": 2.5})
    assert raised.json() == {"changed": 2}
    prices = keeper.get("/api/products/one").json()["prices"]
    assert prices[1] == {"amount": 102_500, "currency": "USD"}
    gone = [*ids, "018f0000-0000-7000-8000-000000000000"]
    assert keeper.post("/api/products/bulk", {"ids": gone, "action": "archive"}).status_code == 404
    assert slugs(ApiClient().get("/api/products")) == ["two", "one"]
    assert keeper.post("/api/products/bulk", {"ids": ids, "action": "price"}).status_code == 422


def test_a_picture_is_added_and_deleted(keeper: ApiClient) -> None:
    make_product()
    file = SimpleUploadedFile("a.png", photo(size=(700, 500)), "image/png")
    answer = keeper.upload(
        "/api/products/aurore/images", file=file, alt="Front", shows="metal:gold"
    )
    assert answer.status_code == 201, answer.content
    assert list(answer.json()["sizes"]) == ["320", "640"]
    shown = ApiClient().get("/api/products/aurore").json()["images"]
    assert [(each["alt"], each["shows"]) for each in shown] == [("Front", ["metal:gold"])]
    assert ApiClient().get(shown[0]["url"]).status_code == 200
    gone = keeper.delete(f"/api/products/aurore/images/{shown[0]['id']}")
    assert gone.json()["images"] == []
    text = SimpleUploadedFile("a.png", io.BytesIO(b"no picture at all").read(), "image/png")
    assert keeper.upload("/api/products/aurore/images", file=text).status_code == 415


def test_the_tree_and_collections_are_kept(keeper: ApiClient) -> None:
    keeper.post("/api/categories", {"slug": "rings", "name": "Rings"})
    made = keeper.post("/api/categories", {"slug": "bands", "name": "Bands", "parent": "rings"})
    assert made.json()["path"] == "rings/bands"
    make_product(category="rings/bands")
    crumbs = ApiClient().get("/api/products/aurore").json()["breadcrumbs"]
    assert [step["name"] for step in crumbs] == ["Rings", "Bands"]
    moved = keeper.put(
        f"/api/categories/{made.json()['id']}", {"slug": "bands", "name": "Wedding bands"}
    )
    assert moved.json()["path"] == "bands"
    assert slugs(ApiClient().get("/api/products?category=bands")) == ["aurore"]
    assert keeper.delete(f"/api/categories/{made.json()['id']}").status_code == 409
    collection = keeper.post(
        "/api/collections", {"slug": "dawn", "name": "Dawn", "products": ["aurore"]}
    )
    assert slugs(ApiClient().get("/api/products?collection=dawn")) == ["aurore"]
    assert ApiClient().get("/api/collections/dawn").json()["id"] == collection.json()["id"]
    assert keeper.delete(f"/api/collections/{collection.json()['id']}").status_code == 200
    assert slugs(ApiClient().get("/api/products?collection=dawn")) == []


def test_only_who_bought_reviews_and_once(keeper: ApiClient) -> None:
    ring, ada = make_product(), make_user(name="Ada Lovelace")
    client = client_for(ada)
    body = {"rating": 4, "title": "Lovely", "text": "It shines."}
    bought(ada, ring, "REFUNDED")
    assert client.post("/api/products/aurore/reviews", body).json()["code"] == "not_bought"
    bought(ada, ring)
    review = client.post("/api/products/aurore/reviews", body)
    assert (review.status_code, review.json()["author"]) == (201, "Ada")
    assert client.post("/api/products/aurore/reviews", body).json()["code"] == "already_reviewed"
    visitor = ApiClient()
    assert visitor.get("/api/products/aurore").json()["rating"] == {"average": 4.0, "count": 1}
    hidden = keeper.put(f"/api/products/aurore/reviews/{review.json()['id']}", {"isHidden": True})
    assert hidden.json()["isHidden"] is True
    assert visitor.get("/api/products/aurore/reviews").json()["items"] == []
    assert visitor.get("/api/products/aurore").json()["rating"] == {"average": None, "count": 0}


@pytest.mark.django_db(transaction=True)
def test_reviews_go_with_their_author() -> None:
    ring, ada = make_product(), make_user(credits=0)
    bought(ada, ring)
    client = client_for(ada)
    client.post("/api/products/aurore/reviews", {"rating": 2})
    assert client.get("/api/user/export").json()["reviews"][0]["rating"] == 2
    erase_account(user_id=ada.pk, actor=ada)
    assert not Review.objects.exists()
    assert ApiClient().get("/api/products/aurore").json()["rating"]["count"] == 0
