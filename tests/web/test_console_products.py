"""The catalogue in the console: list, editor, pictures, tree, collections, imports."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from house.goods import make_product, plain
from house.jobs import run_jobs
from house.people import make_user, page_client
from house.photos import photo
from markethall.flows.imports import forget_tried_files
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.files.models import StoredFile
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.drafts import draft_of
from markethall.trade.catalog.models import (
    Category,
    Collection,
    ImportRun,
    Product,
    ProductImage,
    Variant,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    return page_client(make_user(role=Role.ADMIN))


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def fields(html: str, form: str) -> dict[str, Any]:
    """What a browser would send of the form with this id, unchanged."""
    found = re.search(rf'<form[^>]*id="{form}".*?</form>', html, re.DOTALL)
    assert found
    sent: dict[str, Any] = {}
    pattern = r"<input([^>]*)>|<textarea([^>]*)>(.*?)</textarea>|<select([^>]*)>(.*?)</select>"
    for put, area, text, select, options in re.findall(pattern, found[0], re.DOTALL):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', put or area or select))
        name = attributes.get("name", "")
        if select:
            chosen = re.search(r"<option([^>]*) selected>([^<]*)", options)
            value = re.search(r'value="([^"]*)"', chosen[1]) if chosen else None
            sent[name] = value[1] if value else chosen[2] if chosen else ""
            if not chosen:
                first = re.search(r'<option value="([^"]*)"', options)
                sent[name] = first[1] if first else ""
        elif area:
            sent[name] = text
        elif attributes.get("type") != "checkbox":
            sent[name] = attributes.get("value", "")
        elif " checked" in put:
            sent.setdefault(name, []).append(attributes.get("value", "on"))
    return sent


def test_the_list_is_narrowed_by_its_address(desk: Client) -> None:
    make_product("shown-ring")
    make_product("draft-ring", shown=False)
    assert "draft-ring" in page(desk, "/console/products")
    drafts = page(desk, "/console/products?status=draft")
    assert "draft-ring" in drafts
    assert "shown-ring" not in drafts
    assert "shown-ring" in page(desk, "/console/products?q=SHOWN-RING-GOLD-52")
    assert "Nothing matches" in page(desk, "/console/products?storefront=market")


def test_only_who_keeps_the_catalogue_gets_in() -> None:
    for role in (Role.LOGISTICS, Role.FINANCE):
        page(page_client(make_user(role=role)), "/console/products", 403)
    page(page_client(make_user()), "/console/products", 404)


def test_many_are_moved_and_repriced_at_once(desk: Client) -> None:
    rows = [make_product(slug, shown=False) for slug in ("one", "two")]
    ids = [str(row.pk) for row in rows]
    desk.post("/console/products/bulk", {"product": ids, "act": "activate"})
    assert set(Product.objects.values_list("status", flat=True)) == {"active"}
    desk.post("/console/products/bulk", {"product": ids, "act": "price", "percent": "-2,5"})
    assert draft_of(rows[0]).prices["USD"] == 97_500
    answer = desk.post("/console/products/bulk", {"product": ids, "act": "price", "percent": "x"})
    assert answer.status_code == 422


def test_a_form_that_is_sent_unchanged_changes_nothing(desk: Client) -> None:
    row = make_product(category="", description="One\n\nTwo <b>")
    html = page(desk, f"/console/products/{row.pk}")
    sent = {name: _unescaped(value) for name, value in fields(html, "product-form").items()}
    before = draft_of(row)
    answer = desk.post(f"/console/products/{row.pk}", sent, follow=True)
    assert "There was nothing to change." in answer.content.decode()
    assert draft_of(row) == before


def test_skus_are_seen_and_given(desk: Client) -> None:
    make_product("other")
    row = make_product("aurore")

    def send(**skus: str) -> str:
        sent = fields(page(desk, f"/console/products/{row.pk}"), "product-form")
        sent = {name: _unescaped(value) for name, value in sent.items()}
        assert sent["sku0"] == sent["sku0-key"].replace("metal=gold;size=52", "AURORE-GOLD-52")
        answer = desk.post(f"/console/products/{row.pk}", sent | skus, follow=True)
        return str(unescape(answer.content.decode()))

    taken = send(sku0="OTHER-GOLD-52", sku1="fine")
    assert "skus.metal=gold;size=52</code>: Another product has the SKU OTHER-GOLD-52." in taken
    assert 'value="fine"' in taken
    assert 'aria-describedby="sku0-error"' in taken
    assert 'aria-describedby="sku1-error"' not in taken
    twice = send(sku0="same", sku1="same")
    assert twice.count("Two variants have the SKU same.") == 4
    assert "A SKU has 1 to 64 letters" in send(sku0="no spaces")
    assert Variant.objects.filter(sku="AURORE-GOLD-52").exists()

    assert "Saved." in send(sku0="A-1", sku1="A-2")
    kept = dict(row.variants.values_list("key", "sku"))
    assert (kept["metal=gold;size=52"], kept["metal=gold;size=54"]) == ("A-1", "A-2")
    assert kept["metal=silver;size=52"] == "AURORE-SILVER-52"


def test_an_option_that_goes_takes_its_skus_along(desk: Client) -> None:
    row = make_product("aurore")
    sent = fields(page(desk, f"/console/products/{row.pk}"), "product-form")
    sent = {name: _unescaped(value) for name, value in sent.items()} | {
        "o1-code": "",
        "o1-name": "",
    }
    answer = desk.post(f"/console/products/{row.pk}", sent, follow=True)
    assert "Saved." in answer.content.decode()
    assert set(draft_of(row).skus) == {"metal=gold", "metal=silver"}


def _unescaped(value: Any) -> Any:
    return [unescape(each) for each in value] if isinstance(value, list) else unescape(value)


def test_a_product_is_written_and_put_on_the_shelf(desk: Client) -> None:
    html = page(desk, "/console/products/new")
    sent = fields(html, "product-form") | {
        "name": "Aurore",
        "slug": "aurore",
        "price-USD": "1250.00",
        "details": "Stone: Diamond\nCut: Round",
        "o0-name": "Metal",
        "o0-code": "metal",
        "o0-kind": "choice",
        "o0-stocked": "on",
        "o0-v0-name": "Gold",
        "o0-v0-code": "gold",
        "o0-v0-effect-USD": "500",
    }
    answer = desk.post("/console/products/new", sent, follow=True)
    assert "Saved." in answer.content.decode()
    row = Product.objects.get()
    draft = draft_of(row)
    assert (draft.prices, draft.details) == (
        {"USD": 125_000},
        (("Stone", "Diamond"), ("Cut", "Round")),
    )
    assert draft.options[0].values[0].effects == {"USD": 50_000}
    assert Variant.objects.get().sku == "AURORE-GOLD"
    desk.post(f"/console/products/{row.pk}/move", {"to": "active"})
    row.refresh_from_db()
    assert row.status == "active"


def test_what_is_wrong_stands_beside_what_was_typed(desk: Client) -> None:
    row = make_product()
    sent = fields(page(desk, f"/console/products/{row.pk}"), "product-form")
    answer = desk.post(f"/console/products/{row.pk}", sent | {"slug": "No slug", "name": "Dawn"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="No slug"' in html
    assert "<code>slug</code>" in html
    desk.post(f"/console/products/{row.pk}", sent | {"name": "Dawn"})
    late = desk.post(f"/console/products/{row.pk}", sent | {"name": "Dusk"})
    assert "make your changes" in late.content.decode()
    row.refresh_from_db()
    assert row.name == "Dawn"


@pytest.mark.django_db(transaction=True)
def test_pictures_are_added_described_and_deleted(desk: Client) -> None:
    row = make_product()
    for size in ((400, 300), (500, 300)):
        file = SimpleUploadedFile("a.png", photo(size=size), "image/png")
        desk.post(f"/console/products/{row.pk}/pictures", {"file": file, "alt": "Front"})
    first, second = ProductImage.objects.order_by("position")
    at = f"/console/products/{row.pk}/pictures/"
    desk.post(f"{at}{second.pk}", {"act": "first"})
    desk.post(f"{at}{second.pk}", {"act": "save", "alt": "Side", "shows": "metal:gold"})
    assert list(ProductImage.objects.order_by("position").values_list("alt", "shows")) == [
        ("Side", ["metal:gold"]),
        ("Front", []),
    ]
    desk.post(f"{at}{first.pk}", {"act": "delete"})
    assert ProductImage.objects.count() == 1


def test_the_tree_is_kept(desk: Client) -> None:
    desk.post("/console/categories", {"slug": "rings", "name": "Rings", "is_active": "on"})
    desk.post("/console/categories", {"slug": "bands", "name": "Bands", "parent": "rings"})
    bands = Category.objects.get(slug="bands")
    assert (bands.path, bands.is_active) == ("rings/bands", False)
    assert "rings/bands" in page(desk, "/console/categories")
    rings = Category.objects.get(slug="rings")
    sent = {"id": str(rings.pk), "slug": "rings", "name": "Rings", "parent": "rings/bands"}
    answer = desk.post("/console/categories", sent)
    assert answer.status_code == 422
    assert "within itself" in answer.content.decode()
    desk.post("/console/categories", {"id": str(bands.pk), "act": "delete"})
    assert Category.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_collection_has_its_products_and_picture(desk: Client) -> None:
    plain("one")
    plain("two")
    sent = {
        "slug": "dawn",
        "name": "Dawn",
        "products": "two one",
        "is_active": "on",
        "file": SimpleUploadedFile("a.png", photo(size=(400, 300)), "image/png"),
    }
    desk.post("/console/collections", sent)
    dawn = Collection.objects.get()
    assert dawn.picture is not None
    assert "two one" in page(desk, "/console/collections")
    desk.post("/console/collections", {"id": str(dawn.pk), "act": "delete"})
    assert not Collection.objects.exists()
    assert not StoredFile.objects.exists()


GOODS = b"slug,name,status,price:USD\none,One,active,10\ntwo,Two,active,ten\n"


def sent(desk: Client, **more: str) -> str:
    """Send the console a table of a good and a wrong product; returns the import's page."""
    file = SimpleUploadedFile("goods.csv", GOODS, "text/csv")
    answer = desk.post("/console/products/import", {"file": file, "storefront": "elysium", **more})
    assert answer.status_code == 302
    return str(answer["Location"])


@pytest.mark.django_db(transaction=True)
def test_an_import_is_a_job_with_a_report(desk: Client) -> None:
    address = sent(desk)
    assert "waiting" in page(desk, address)
    run_jobs()
    html = page(desk, address)
    assert "is no amount of USD" in html
    assert "Products made" in html
    assert "Import this file now" not in html
    assert Product.objects.count() == 1
    assert set(ImportRun.objects.values_list("state", "file")) == {("done", None)}
    assert not StoredFile.objects.exists()
    assert "goods.csv" in page(desk, "/console/products/import")
    exported = desk.get("/console/products/export?storefront=elysium&as=csv")
    assert b"\none,One,active" in b"".join(exported.streaming_content)  # type: ignore[arg-type]
    wrong = SimpleUploadedFile("goods.xlsx", b"PK", "application/zip")
    answer = desk.post("/console/products/import", {"file": wrong, "storefront": "elysium"})
    assert answer.status_code == 422


@pytest.mark.django_db(transaction=True)
def test_what_a_dry_run_has_tried_is_imported_once(desk: Client) -> None:
    address = sent(desk, dry="on")
    early = desk.post(f"{address}/carry-on")
    assert early.status_code == 409
    assert "not over yet" in early.content.decode()
    run_jobs()
    html = page(desk, address)
    assert "Products made" in html
    assert "What was wrong is left out" in html
    assert not Product.objects.exists()
    answers = [desk.post(f"{address}/carry-on") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 409]
    run_jobs()
    assert "is no amount of USD" in page(desk, answers[0]["Location"])
    assert [product.slug for product in Product.objects.all()] == ["one"]
    assert "Import this file now" not in page(desk, address)
    assert not StoredFile.objects.exists()
    acts = AuditEntry.objects.filter(action="product.import").order_by("at")
    assert [act.data["dry"] for act in acts] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_how_far_a_dry_run_is_can_be_seen_meanwhile(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def looking(**given: Any) -> Any:
        with closing(connection.copy()) as aside, aside.cursor() as cursor:
            cursor.execute("SELECT state, done, total FROM catalog_importrun")
            seen.append(cursor.fetchone())
        return save_product(**given)

    monkeypatch.setattr("markethall.trade.catalog.importing.run.save_product", looking)
    table = b"slug,name\none,One\ntwo,Two\nthree,Three\n"
    file = SimpleUploadedFile("goods.csv", table, "text/csv")
    sent = {"file": file, "storefront": "elysium", "dry": "on"}
    desk.post("/console/products/import", sent)
    run_jobs()
    assert seen == [("running", 0, 0), ("running", 1, 3), ("running", 2, 3)]


@pytest.mark.django_db(transaction=True)
def test_a_file_that_was_only_tried_is_kept_for_a_day(
    desk: Client, turn_clock: Callable[[timedelta], None]
) -> None:
    address = sent(desk, dry="on")
    run_jobs()
    assert forget_tried_files() == 0
    turn_clock(timedelta(days=1, seconds=1))
    assert forget_tried_files() == 1
    assert not StoredFile.objects.exists()
    assert desk.post(f"{address}/carry-on").status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_damaged_archive_fails_with_a_reason(desk: Client) -> None:
    file = SimpleUploadedFile("goods.zip", b"no archive", "application/zip")
    answer = desk.post("/console/products/import", {"file": file, "storefront": "elysium"})
    run_jobs()
    assert "This archive is damaged." in page(desk, answer["Location"])
    assert ImportRun.objects.get().state == "failed"
