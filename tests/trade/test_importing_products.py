"""Products from CSV and from a Sanity export, and out again the same."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from house.goods import METAL, RING, SIZE, make_product, plain
from house.photos import photo
from markethall.foundation.audit.models import AuditEntry
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.actions.pictures import Upload, add_picture
from markethall.trade.catalog.drafts import draft_of
from markethall.trade.catalog.importing import run, tables
from markethall.trade.catalog.importing.export import export_file
from markethall.trade.catalog.importing.run import Report, import_file
from markethall.trade.catalog.models import Category, Collection, Product, ProductImage

pytestmark = pytest.mark.django_db(transaction=True)

CSV = """\
slug,name,status,category,tags,price:USD,price:JPY,option,option_stocked,value,value_name,effect:USD,effect:JPY
aurore,Aurore,active,rings/bands,new;bridal,1250.00,180000,metal,yes,gold,Yellow gold,500,70000
aurore,,,,,,,metal,,silver,Silver,-20.50,-3000
chain,Chain,draft,,,99.90,,,,,,,
"""


def imported(path: Path, content: str | bytes = "", **more: Any) -> Report:
    if content:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_file(path, storefront="elysium", actor_id=None, **more)


def product(slug: str) -> Product:
    return Product.objects.get(slug=slug, storefront="elysium")


def told(report: Report) -> list[tuple[int, str]]:
    return [(fault.line, fault.where) for fault in report.faults]


def test_a_table_becomes_products(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    report = imported(tmp_path / "a.csv", CSV, tell=lambda *step: steps.append(step))
    assert not report.faults
    assert report.figures["products made"] == 2
    assert steps == [(1, 2), (2, 2)]
    ring = draft_of(product("aurore"))
    assert (ring.prices, ring.category, ring.tags) == (
        {"JPY": 180_000, "USD": 125_000},
        "rings/bands",
        ("new", "bridal"),
    )
    silver = ring.options[0].values[1]
    assert (silver.name, silver.effects) == ("Silver", {"JPY": -3_000, "USD": -2_050})
    assert sorted(ring.skus.values()) == ["AURORE-GOLD", "AURORE-SILVER"]
    assert (product("aurore").status, product("chain").status) == ("active", "draft")
    assert list(Category.objects.order_by("path").values_list("path", "name")) == [
        ("rings", "Rings"),
        ("rings/bands", "Bands"),
    ]


def test_a_second_import_changes_nothing(tmp_path: Path) -> None:
    imported(tmp_path / "a.csv", CSV)
    before = list(Product.objects.values_list("pk", "updated_at"))
    acts = AuditEntry.objects.count()
    report = imported(tmp_path / "a.csv")
    assert +report.figures == {"products same": 2}
    assert list(Product.objects.values_list("pk", "updated_at")) == before
    assert AuditEntry.objects.count() == acts


def test_a_dry_run_finds_the_same_and_saves_nothing(tmp_path: Path) -> None:
    dry = imported(tmp_path / "a.csv", CSV, dry_run=True)
    assert not Product.objects.exists()
    assert not Category.objects.exists()
    assert imported(tmp_path / "a.csv").figures == dry.figures


def test_a_wrong_line_spoils_no_other(tmp_path: Path) -> None:
    broken = """\
slug,name,status,price:USD,weight_grams,option,value,effect:USD
one,One,active,10,,,,
Two!,Two,active,10,,,,
three,Three,active,ten,,,,
four,Four,sold,10,,,,
five,Five,active,10,heavy,,,
six,Six,active,10,,metal,gold,
six,,,,,metal,silver,much
seven,Seven,active,10,,,,,too,many
,Nameless,active,10,,,,
eight,Eight,active,10,,metal,gold,-50
nine,Nine,active,10,,,,
"""
    report = imported(tmp_path / "a.csv", broken)
    assert set(Product.objects.values_list("slug", flat=True)) == {"one", "nine"}
    assert told(report) == [
        (3, "Two! slug"),
        (4, "price:USD"),
        (5, "status"),
        (6, "weight_grams"),
        (8, "effect:USD"),
        (9, "seven"),
        (10, "slug"),
        (11, "eight price:USD"),
    ]


def test_each_fault_of_a_product_stands_in_its_own_line_and_column(tmp_path: Path) -> None:
    prices = "tax_category,price:USD,price:EUR"
    values = "option,option_name,value,value_swatch,effect:USD,effect:EUR"
    broken = f"""\
slug,name,{prices},{values},detail,variant,sku
ring,Ring,none,10,9,metal,Metal,gold,#d4af37,1,1,Stone,,
ring,,,,,metal,,silver,grey,2,,,metal=gold,A B
ring,,,,,size,{"x" * 81},52,,,,,,
ring,,,,,size,,5 4,,,,{"d" * 81},,
"""
    assert told(imported(tmp_path / "a.csv", broken)) == [
        (2, "ring tax_category"),
        (3, "ring sku"),
        (3, "ring value_swatch"),
        (3, "ring effect:EUR"),
        (4, "ring option_name"),
        (5, "ring detail"),
        (5, "ring value"),
    ]


def test_a_picture_that_is_missing_is_told_in_its_own_line(tmp_path: Path) -> None:
    table = "slug,name,picture\nring,Ring,\nring,,a.png\n"
    assert told(imported(tmp_path / "a.csv", table)) == [(3, "a.png")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", b"PK"),
        ("a.tar.gz", b"no archive"),
        ("a.zip", b"no archive"),
        ("a.csv", b"slug,name\n\xff\xfe,x\n"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        imported(tmp_path / name, content)


@pytest.mark.parametrize("header", ["name", "slug,name,colour", "slug,name,name"])
def test_a_header_says_what_the_columns_are(tmp_path: Path, header: str) -> None:
    assert told(imported(tmp_path / "a.csv", f"{header}\na,b,c\n")) == [(1, "header")]


def test_an_unknown_column_is_told_which_there_are(tmp_path: Path) -> None:
    [fault] = imported(tmp_path / "a.csv", "slug,name,colour\na,b,c\n").faults
    said = fault.message
    assert "no column 'colour'" in said
    assert all(name in said for name in ("slug", "price:USD", "option_allowed", "picture_shows"))


def block(*spans: str, **more: Any) -> dict[str, Any]:
    children = [{"_type": "span", "text": text, "marks": []} for text in spans]
    return {"_type": "block", "style": "normal", "markDefs": [], "children": children, **more}


def reference(key: str) -> dict[str, str]:
    return {"_type": "reference", "_ref": key, "_key": key}


SHA = "0123456789abcdef0123456789abcdef01234567"
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "p2", "_type": "product", "title": "Loose", "slug": "loose", "price": 12.5},
    {
        "_id": "p1",
        "_type": "product",
        "_createdAt": "2024-01-01T00:00:00Z",
        "title": {"_type": "localeString", "fr": "Aurore (fr)", "en": "Aurore"},
        "slug": {"_type": "slug", "current": "aurore"},
        "description": [
            block("Hand ", "made."),
            block("Gold", listItem="bullet"),
            {"_type": "image", "asset": {}},
        ],
        "price": 1250,
        "category": reference("c2"),
        "collections": [reference("k1")],
        "mainImage": {
            "_type": "image",
            "_sanityAsset": f"image@file://./images/{SHA}-700x500.png",
            "alt": "Front",
        },
        "images": [
            {"_type": "image", "asset": reference(f"image-{SHA}-700x500-png")},
            {"_type": "image", "_sanityAsset": "image@file://./images/missing.png"},
        ],
        "options": [
            {
                "_key": "a",
                "title": "Metal",
                "stocked": True,
                "values": [
                    {"title": "Rose gold", "price": 100, "color": {"hex": "#B76E79"}},
                    "Silver",
                ],
            },
            {"title": "Engraving", "kind": "text", "maxLength": 12, "price": 50},
        ],
    },
    {"_id": "drafts.p1", "_type": "product", "title": "Aurore, changed", "slug": "aurore"},
    {"_id": "drafts.p3", "_type": "product", "title": "Soon", "slug": "soon", "price": 5},
    {"_id": "p4", "_type": "product", "title": "Lost", "price": 5, "category": reference("zz")},
    {"_id": "c2", "_type": "category", "title": "Bands", "parent": reference("c1")},
    {"_id": "c1", "_type": "category", "title": "Rings", "slug": {"current": "rings"}},
    {"_id": "c3", "_type": "category", "title": "Round", "parent": reference("c3")},
    {
        "_id": "k1",
        "_type": "collection",
        "title": "Dawn",
        "description": [block("First light.")],
        "products": [reference("p2")],
        "image": {"_type": "image", "_sanityAsset": f"image@file://./images/{SHA}-700x500.png"},
    },
    {"_id": "s", "_type": "siteSettings", "title": "ELYSIUM"},
]


def sanity(path: Path, documents: list[Any] | None = None) -> Path:
    """An export as ``sanity datasets export`` packs it."""
    lines = "".join(json.dumps(each) + "\n" for each in documents or DOCUMENTS) + "{broken\n"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (
            ("data.ndjson", lines.encode()),
            ("assets.json", b"{}"),
            (f"images/{SHA}-700x500.png", photo(size=(700, 500))),
        ):
            info = tarfile.TarInfo(f"production-export-2024-01-01t00-00-00-000z/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_sanity_export_becomes_a_catalogue(tmp_path: Path) -> None:
    report = imported(sanity(tmp_path / "production.tar.gz"))
    assert told(report) == [
        (2, "images/missing.png"),
        (5, "p4 category"),
        (8, "c3 parent"),
        (11, ""),
    ]
    assert report.figures["documents passed over"] == 1
    ring = draft_of(product("aurore"))
    assert (ring.name, ring.description) == ("Aurore", "Hand made.\n\n• Gold")
    assert (ring.prices, ring.category) == ({"USD": 125_000}, "rings/bands")
    metal, engraving = ring.options
    assert [(value.code, value.swatch) for value in metal.values] == [
        ("rose-gold", "#b76e79"),
        ("silver", ""),
    ]
    assert (engraving.max_length, engraving.effects) == (12, {"USD": 5_000})
    assert list(ring.skus) == ["metal=rose-gold", "metal=silver"]
    assert (product("loose").status, product("soon").status) == ("active", "draft")
    image = ProductImage.objects.get(product=product("aurore"))
    assert (image.alt, image.widths) == ("Front", [320, 640])
    dawn = Collection.objects.get(slug="dawn")
    assert dawn.story == "First light."
    assert dawn.picture is not None
    members = dawn.items.order_by("position").values_list("product__slug", flat=True)
    assert list(members) == ["loose", "aurore"]


def test_a_second_sanity_import_changes_nothing(tmp_path: Path) -> None:
    path = sanity(tmp_path / "production.tar.gz")
    imported(path)
    acts = AuditEntry.objects.count()
    figures = imported(path).figures
    assert {kind for kind, number in figures.items() if number} <= {
        "products same",
        "categories same",
        "collections same",
        "lines wrong",
        "pictures wrong",
        "documents passed over",
    }
    assert AuditEntry.objects.count() == acts


def test_an_archive_reaches_nothing_outside_itself(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(photo())
    folder = tmp_path / "in"
    folder.mkdir()
    document = {
        "_id": "p",
        "_type": "product",
        "title": "Ring",
        "price": 1,
        "images": [
            {"_sanityAsset": "image@file://./../secret.png"},
            {"_sanityAsset": f"image@file://{tmp_path}/secret.png"},
        ],
    }
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("data.ndjson", json.dumps(document))
        archive.writestr("../secret.png", photo())
    report = imported(folder / "a.zip")
    assert len(report.faults) == 2
    assert not ProductImage.objects.exists()


def fill() -> None:
    """A shop with something of everything."""
    for slug, parent in (("rings", ""), ("bands", "rings")):
        draft = CategoryDraft(slug, slug.title(), parent, "Round", 3, slug == "rings")
        save_category(storefront="elysium", draft=draft, actor_id=None)
    draft = CollectionDraft("dawn", "Dawn", "Light", "A story\n\nof light", 2)
    save_collection(storefront="elysium", draft=draft, actor_id=None)
    hidden = replace(METAL.values[1], code="copper", name="Copper", is_active=False)
    metal = replace(METAL, values=[*METAL.values, hidden], help_text='Choose, "well"')
    ring = make_product(
        "aurore",
        category="rings/bands",
        collections=["dawn"],
        description="Line one\n\nLine; two",
        options=[metal, replace(SIZE, has_default=False), *RING.options[2:]],
        position=7,
    )
    plain("chain", 9_990, details=[("Length", "42 cm"), ("Clasp", "Lobster")], shown=False)
    for size, shows in (((700, 500), ["metal:gold"]), ((400, 300), [])):
        content = photo(size=size)
        upload = Upload(io.BytesIO(content), len(content))
        add_picture(product_id=ring.pk, upload=upload, shows=shows, alt="A, b", actor_id=None)


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.csv.tar.gz", "a.tar.gz"])
def test_an_export_imports_as_the_same(tmp_path: Path, name: str) -> None:
    fill()
    acts = AuditEntry.objects.count()
    export_file(tmp_path / name, storefront="elysium")
    report = imported(tmp_path / name)
    assert not report.faults
    assert not [kind for kind in +report.figures if not kind.endswith("same")]
    assert AuditEntry.objects.count() == acts


_FORMULAS = [
    '=HYPERLINK("http://x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=1",
    "''-",
    "\uff1d1",
]


def test_no_cell_of_an_export_is_a_formula(tmp_path: Path) -> None:
    fill()
    plain("lure", details=[(text.strip(), text) for text in _FORMULAS], name="=1+1", tags=["-x"])
    plain("number", name="-5", summary="'quoted'", description="+1.5")
    before = {slug: draft_of(product(slug)) for slug in ("lure", "number", "aurore")}
    export_file(tmp_path / "a.csv", storefront="elysium")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert {"'=1+1", "'-x", "''=1", "-5", "+1.5", "'quoted'", "-200.00"} <= cells
    lures = [cell for cell in cells if cell[:1] in tuple("=+-@\t\r\uff1d")]
    assert all(Decimal(cell).is_finite() for cell in lures)
    assert Decimal("-200.00") in map(Decimal, lures)
    Product.objects.filter(slug__in=["lure", "number"]).update(name="Another", details=[])
    report = imported(tmp_path / "a.csv")
    assert not report.faults
    for slug, draft in before.items():
        assert draft_of(product(slug)) == draft


@pytest.mark.parametrize("name", ["a.csv.tar.gz", "a.tar.gz"])
def test_an_export_fills_another_storefront_with_the_same(tmp_path: Path, name: str) -> None:
    fill()
    export_file(tmp_path / name, storefront="elysium")
    text = _text(tmp_path / name).replace("AURORE", "M-AURORE").replace("CHAIN", "M-CHAIN")
    _repack(tmp_path / name, tmp_path / f"b{name}", text)
    report = import_file(tmp_path / f"b{name}", storefront="market", actor_id=None)
    assert not report.faults
    for slug in ("aurore", "chain"):
        rows = {row.storefront: row for row in Product.objects.filter(slug=slug)}
        there, here = (draft_of(rows[shop]) for shop in ("market", "elysium"))
        assert replace(there, skus={}) == replace(here, skus={})
        assert there.skus == {key: f"M-{sku}" for key, sku in here.skus.items()}
        assert rows["market"].status == rows["elysium"].status
        shown = [
            [(image.alt, image.shows, image.widths) for image in row.images.order_by("position")]
            for row in rows.values()
        ]
        assert shown[0] == shown[1]


def _text(path: Path) -> str:
    with tarfile.open(path) as archive:
        return archive.extractfile(archive.getmembers()[0]).read().decode()  # type: ignore[union-attr]


def _repack(source: Path, target: Path, text: str) -> None:
    with tarfile.open(source) as old, tarfile.open(target, "w:gz") as new:
        first, *others = old.getmembers()
        first.size = len(text.encode())
        new.addfile(first, io.BytesIO(text.encode()))
        for member in others:
            new.addfile(member, old.extractfile(member))


def test_what_is_small_to_write_and_large_to_read_is_refused(tmp_path: Path) -> None:
    header = "slug,name," + ",".join(f"price:A{number}" for number in range(tables.MAX_COLUMNS))
    report = imported(tmp_path / "a.csv", f"{header}\none,One\n")
    assert [fault.where for fault in report.faults] == ["header"]

    values = "one,metal,gold\n" * tables.MAX_ROWS_EACH
    report = imported(tmp_path / "b.csv", f"slug,option,value,name\n{values}one,metal,silver\n")
    assert told(report) == [(2, "slug")]

    for name, line in (("c.csv", "slug,name" + "," * run.MAX_LINE), ("d.ndjson", "[" * 2_000_000)):
        with pytest.raises(Invalid, match="A line has"):
            imported(tmp_path / name, line)
    assert not Product.objects.exists()
