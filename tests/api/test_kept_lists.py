"""A list of products is kept while the catalogue stays as it is, and not a moment longer."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from house.goods import bought, make_product, plain
from house.people import ApiClient, client_for, make_user
from house.photos import photo
from markethall.foundation.accounts.permissions import Role
from markethall.trade.catalog.models import CollectionItem, Product, Revision
from markethall.trade.catalog.revision import revision

LIST = "/api/products?collection=dawn&facets=true"


def shown() -> dict[str, Any]:
    answer = ApiClient().get(LIST)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def reviewed(keeper: ApiClient) -> None:
    author, ring = make_user(), Product.objects.get(slug="ring")
    bought(author, ring)
    made = client_for(author).post("/api/products/ring/reviews", {"rating": 5})
    assert made.status_code == 201


def pictured(keeper: ApiClient) -> None:
    file = SimpleUploadedFile("a.png", photo(size=(400, 300)), "image/png")
    assert keeper.upload("/api/products/ring/images", file=file).status_code == 201


def dearer(keeper: ApiClient) -> None:
    ids = [str(Product.objects.get(slug="ring").pk)]
    body = {"ids": ids, "action": "price", "percent": 10}
    assert keeper.post("/api/products/bulk", body).status_code == 200


def archived(keeper: ApiClient) -> None:
    assert keeper.delete("/api/products/ring").status_code == 200


def moved(keeper: ApiClient) -> None:
    made = keeper.get("/api/categories").json()["items"][0]
    body = {"slug": "bands", "name": "Bands"}
    assert keeper.put(f"/api/categories/{made['id']}", body).status_code == 200


def reordered(keeper: ApiClient) -> None:
    first, second = CollectionItem.objects.order_by("position")
    CollectionItem.objects.filter(pk=first.pk).update(position=second.position + 1)


def emptied(keeper: ApiClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_facet")


def left_out(keeper: ApiClient) -> None:
    body = {"slug": "dawn", "name": "Dawn", "products": ["chain"]}
    made = keeper.get("/api/collections/dawn").json()["id"]
    assert keeper.put(f"/api/collections/{made}", body).status_code == 200


@pytest.fixture
def keeper(db: None) -> ApiClient:
    keeper = client_for(make_user(role=Role.ADMIN))
    keeper.post("/api/categories", {"slug": "rings", "name": "Rings"})
    make_product("ring", category="rings")
    plain("chain")
    keeper.post("/api/collections", {"slug": "dawn", "name": "Dawn", "products": ["ring", "chain"]})
    return keeper


def test_a_list_that_nothing_changed_asks_one_question(keeper: ApiClient) -> None:
    before = shown()
    with CaptureQueriesContext(connection) as asked:
        assert shown() == before
    assert len(asked) == 1


@pytest.mark.parametrize(
    "change", [reviewed, pictured, dearer, archived, moved, reordered, emptied, left_out]
)
def test_whatever_a_list_shows_changes_it_at_once(
    keeper: ApiClient, change: Callable[[ApiClient], None]
) -> None:
    before = shown()
    change(keeper)
    after = shown()
    assert after != before
    Revision.objects.update(mark=uuid.uuid4())
    assert shown() == after


def test_each_way_of_asking_is_kept_by_itself(keeper: ApiClient) -> None:
    visitor = ApiClient()
    asked = [
        ("/api/products", {}),
        ("/api/products?limit=1", {}),
        ("/api/products?sort=-price", {}),
        ("/api/products?facet=metal:gold", {}),
        ("/api/products?q=chain", {}),
        ("/api/products", {"X-Currency": "EUR"}),
        ("/api/products", {"X-Storefront": "market"}),
    ]
    answers = [visitor.get(path, headers=headers).content for path, headers in asked]
    assert len(set(answers)) == len(asked)
    assert [visitor.get(path, headers=headers).content for path, headers in asked] == answers


@pytest.mark.django_db(transaction=True)
def test_a_change_counts_from_its_commit_whoever_else_writes() -> None:
    """One writer is slow to commit; another comes and goes meanwhile, without waiting for it."""
    make_product("ring")
    plain("chain")
    visitor, written, may_commit = ApiClient(), threading.Event(), threading.Event()

    def names() -> set[str]:
        return {item["name"] for item in visitor.get("/api/products").json()["items"]}

    def slowly() -> None:
        try:
            with transaction.atomic():
                Product.objects.filter(slug="ring").update(name="Slow")
                written.set()
                assert may_commit.wait(30)
        finally:
            connections.close_all()

    writer = threading.Thread(target=slowly)
    writer.start()
    assert written.wait(30)
    assert names() == {"Ring", "Chain"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        Product.objects.filter(slug="chain").update(name="Quick")
    assert names() == {"Ring", "Quick"}
    may_commit.set()
    writer.join(30)
    assert names() == {"Slow", "Quick"}


@pytest.mark.django_db
def test_what_was_taken_back_leaves_no_mark() -> None:
    make_product("ring")
    before = revision()
    with pytest.raises(RuntimeError), transaction.atomic():
        Product.objects.update(name="Never")
        assert revision() != before
        raise RuntimeError
    assert revision() == before
