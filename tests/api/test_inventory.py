from __future__ import annotations

import uuid

import pytest

from house.people import ApiClient, client_for, make_user
from house.shelf import figures, line_of, on_shelf, order_of
from markethall.trade.catalog.models import Variant
from markethall.trade.inventory.models import StockMove

pytestmark = pytest.mark.django_db
STOCK = "/api/inventory"


def shown(client: ApiClient, variant: Variant) -> dict[str, object]:
    (item,) = client.get(STOCK, {"sku": variant.sku}).json()["items"]
    return dict(item)


def test_everybody_hears_what_can_be_had_and_staff_how_much_there_is() -> None:
    many, few, made = on_shelf(20), on_shelf(3), on_shelf(0, is_counted=False)
    order_of(make_user(), line_of(few, 3))
    anybody, staff = ApiClient(), client_for(make_user(role="logistics"))
    assert [
        (item["state"], item["left"]) for item in (shown(anybody, v) for v in (many, few, made))
    ] == [
        ("in_stock", None),
        ("sold_out", 0),
        ("made_to_order", None),
    ]
    assert shown(anybody, few)["level"] is None
    level = shown(staff, few)["level"]
    assert isinstance(level, dict)
    assert (level["onHand"], level["reserved"]) == (3, 3)


def test_lists_are_narrowed_by_product_storefront_and_what_is_sold() -> None:
    ring, chain = on_shelf(4), on_shelf(0)
    hidden = on_shelf(9)
    hidden.is_active = False
    hidden.save()
    anybody, staff = ApiClient(), client_for(make_user(role="admin"))

    def skus(client: ApiClient, **wanted: str) -> list[str]:
        return [item["sku"] for item in client.get(STOCK, wanted).json()["items"]]

    assert skus(anybody) == [ring.sku, chain.sku]
    assert skus(anybody, product=ring.product.slug) == [ring.sku]
    assert skus(anybody, product=str(chain.product_id)) == [chain.sku]
    assert skus(anybody, show="out") == [ring.sku, chain.sku]
    assert skus(staff, show="out") == [chain.sku]
    assert skus(staff, q=hidden.sku.lower()) == [hidden.sku]
    other = anybody.get(STOCK, headers={"X-Storefront": "market"})
    assert other.json()["items"] == []


def test_a_level_is_changed_once_a_key_and_told_in_the_history() -> None:
    ring, user = on_shelf(5), make_user(role="logistics")
    client, path = client_for(user), f"{STOCK}/{ring.pk}"
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"change": -2, "reason": "damaged", "note": "Bent"}
    for _ in range(2):
        answer = client.put(path, body, headers=headers)
        assert answer.json()["level"]["onHand"] == 3
    answer = client.put(path, {"level": 8, "lowAt": 10})
    assert answer.json()["level"]["lowSince"]
    newest, damaged, first = client.get(f"{path}/history").json()["items"]
    assert (newest["change"], newest["onHand"], newest["reason"]) == (5, 8, "counted")
    assert (damaged["change"], damaged["note"], damaged["actorId"]) == (-2, "Bent", str(user.pk))
    assert first["reason"] == "received"


def test_what_cannot_be_is_refused() -> None:
    ring, client = on_shelf(5), client_for(make_user(role="admin"))
    order_of(make_user(), line_of(ring, 4))
    path = f"{STOCK}/{ring.pk}"
    answers = [
        client.put(path, {"level": 3}),
        client.put(path, {"level": 9, "change": 1}),
        client.put(path, {"change": -6}),
        client.put(path, {"level": 1, "reason": "sold"}),
        client.put(f"{STOCK}/{uuid.uuid4()}", {"level": 1}),
        client.get(f"{STOCK}/{uuid.uuid4()}/history"),
    ]
    assert [answer.status_code for answer in answers] == [409, 422, 422, 422, 404, 404]
    assert answers[0].json()["code"] == "stock_reserved"
    assert figures(ring) == (5, 4)


def test_a_delivery_is_taken_in_by_a_list_or_not_at_all() -> None:
    ring, chain = on_shelf(1), on_shelf(1)
    client = client_for(make_user(role="logistics"))
    text = f"sku,pieces\n{ring.sku},4\n{chain.sku},2"
    assert client.post(f"{STOCK}/receive", {"list": text, "note": "D-7"}).json() == {"variants": 2}
    assert (figures(ring), figures(chain)) == ((5, 0), (3, 0))
    assert StockMove.objects.filter(note="D-7").count() == 2
    answer = client.post(f"{STOCK}/receive", {"list": f"{ring.sku},x\nNONE,1"})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["list.1", "list"]
