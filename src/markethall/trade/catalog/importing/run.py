"""Save what a file says, thing by thing, and say what came of each."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from django.db import transaction

from markethall.foundation.files.pictures import clean_picture
from markethall.kernel.errors import Invalid, Problem
from markethall.trade.catalog.actions.categories import CategoryDraft, save_category
from markethall.trade.catalog.actions.collections import CollectionDraft, save_collection
from markethall.trade.catalog.actions.move_products import move_product
from markethall.trade.catalog.actions.pictures import (
    Upload,
    add_picture,
    change_picture,
    show_collection_with,
)
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.importing import sanity, tables
from markethall.trade.catalog.importing.archives import Opened, opened
from markethall.trade.catalog.importing.records import (
    Bundle,
    CategoryRecord,
    CollectionRecord,
    Fault,
    Picture,
    ProductRecord,
)
from markethall.trade.catalog.models import (
    Category,
    Collection,
    Product,
    ProductImage,
    ProductStatus,
)
from markethall.trade.catalog.storefronts import storefront

MAX_FAULTS = 1000
MAX_LINE = 1_000_000  # characters; understood, a line takes up to thirty times its memory
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
Tell = Callable[[int, int], None]
# The line of a field, by its path, and how it is called there.
Place = Callable[[str], tuple[int, str]]


@dataclass(slots=True)
class Report:
    """What came of an import: how many of each kind were made, changed, found the same or wrong,
    as ``products made``; and every fault by line."""

    figures: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    is_dry: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """The report as plain values."""
        faults = [
            {"line": each.line, "where": each.where, "message": each.message}
            for each in self.faults[:MAX_FAULTS]
        ]
        return {"figures": dict(self.figures), "faults": faults, "isDry": self.is_dry}


class _Undo(Exception):
    """Ends a dry run."""


@dataclass(slots=True)
class _Run:
    storefront: str
    actor_id: uuid.UUID | None
    source: Opened
    report: Report
    tell: Tell
    total: int = 0
    done: int = 0

    def step(self) -> None:
        self.done += 1
        self.tell(self.done, self.total)

    def note(self, kind: str, *, is_new: bool, changed: bool) -> None:
        outcome = "made" if is_new else "changed" if changed else "same"
        self.report.figures[f"{kind} {outcome}"] += 1


def import_file(
    path: Path,
    *,
    storefront: str,
    actor_id: uuid.UUID | None,
    dry_run: bool = False,
    name: str = "",
    tell: Tell = lambda done, total: None,
) -> Report:
    """Import a CSV file or a Sanity export, bare, in a folder or packed; see ``archives.opened``.

    ``tell`` is told how much is done after every thing. A dry run saves everything and takes it
    back, so it finds what an import would; pictures are looked at only. Call it outside a
    transaction. Raises Invalid for a file that cannot be read at all.
    """
    with opened(path, name) as source:
        bundle = _understood(source, storefront)
        report = Report(is_dry=dry_run)
        report.faults += bundle.faults
        report.figures["lines wrong"] += len(bundle.faults)
        if bundle.passed_over:
            report.figures["documents passed over"] = bundle.passed_over
        run = _Run(storefront, actor_id, source, report, tell, bundle.total)
        if not dry_run:
            _save(run, bundle)
        else:
            try:
                with transaction.atomic():
                    _save(run, bundle)
                    raise _Undo
            except _Undo:
                pass
    report.faults.sort(key=lambda fault: fault.line)
    return report


def _understood(source: Opened, slug: str) -> Bundle:
    try:
        with source.text.open(encoding="utf-8-sig", newline="") as text:
            if source.kind == "csv":
                return tables.read(_lines(text))
            return sanity.read(_lines(text), currency=storefront(slug).currency)
    except UnicodeDecodeError as error:
        raise Invalid.field("file", "This file is not in UTF-8.") from error


def _lines(text: IO[str]) -> Iterator[str]:
    while line := text.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise Invalid.field("file", f"A line has {MAX_LINE} characters at most.")
        yield line


def _save(run: _Run, bundle: Bundle) -> None:
    for category in bundle.categories:
        with _each(run, "categories", _in_line(category.line, category.draft.path)):
            _save_category(run, category)
    # Products name their collections, and collections the order of their products.
    for collection in bundle.collections:
        with _each(run, "collections", _in_line(collection.line, collection.draft.slug)):
            _save_collection(run, collection)
    for product in bundle.products:
        _save_product(run, product)
    for collection in bundle.collections:
        _fill_collection(run, collection)


@contextmanager
def _each(run: _Run, kind: str, place: Place) -> Iterator[None]:
    """One thing: when it is refused, nothing of it is saved but its faults, each in its place."""
    try:
        with transaction.atomic():
            yield
    except Problem as problem:
        faults = [Fault(*place(error.path), error.message) for error in problem.errors]
        run.report.faults += faults or [Fault(*place(""), problem.detail)]
        run.report.figures[f"{kind} wrong"] += 1
    run.step()


def _in_line(line: int, name: str) -> Place:
    """Where the faults of something stand that has one line."""
    return lambda path: (line, f"{name} {path}".strip())


def _in_lines(run: _Run, record: ProductRecord) -> Place:
    """Where the faults of a product stand: in a table, each in its line and column."""
    slug, is_table = record.draft.slug, run.source.kind == "csv"

    def place(path: str) -> tuple[int, str]:
        named = tables.column_of(path) if is_table else path
        return record.line_of(path), f"{slug} {named}".strip()

    return place


def _save_category(run: _Run, record: CategoryRecord) -> None:
    draft = record.draft
    found = Category.objects.filter(storefront=run.storefront, path=draft.path).first()
    before = _state(found) if found else None
    row = save_category(
        storefront=run.storefront,
        draft=draft,
        actor_id=run.actor_id,
        category_id=found.pk if found else None,
    )
    run.note("categories", is_new=found is None, changed=_state(row) != before)


def _state(row: Category) -> tuple[object, ...]:
    return (row.path, row.name, row.description, row.position, row.is_active)


def _save_collection(run: _Run, record: CollectionRecord) -> None:
    """Save all of a collection but its products and picture."""
    found = Collection.objects.filter(storefront=run.storefront, slug=record.draft.slug).first()
    before = _story(found) if found else None
    row = save_collection(
        storefront=run.storefront,
        draft=replace(record.draft, products=None),
        actor_id=run.actor_id,
        collection_id=found.pk if found else None,
    )
    run.note("collections", is_new=found is None, changed=_story(row) != before)


def _story(row: Collection) -> tuple[object, ...]:
    return (row.name, row.summary, row.story, row.position, row.is_active)


def _fill_collection(run: _Run, record: CollectionRecord) -> None:
    """Give a collection that was saved its products, in their order, and its picture."""
    rows = Collection.objects.filter(storefront=run.storefront, slug=record.draft.slug)
    row = rows.first()
    if row is None:
        return
    if record.draft.products is not None:
        # A product that was wrong may be missing; the others keep their order.
        wanted = record.draft.products
        found = Product.objects.filter(storefront=run.storefront, slug__in=wanted)
        known = set(found.values_list("slug", flat=True))
        products = [slug for slug in wanted if slug in known]
        save_collection(
            storefront=run.storefront,
            draft=replace(record.draft, products=products),
            actor_id=run.actor_id,
            collection_id=row.pk,
        )
    if record.picture:
        _show_collection(run, record.line, row, record.picture)


def _show_collection(run: _Run, line: int, row: Collection, picture: Picture) -> None:
    file = _picture_file(run, line, picture)
    if file is None or run.report.is_dry:
        return
    try:
        with file.open("rb") as content:
            show_collection_with(
                collection_id=row.pk,
                upload=Upload(content, file.stat().st_size),
                alt=picture.alt,
                actor_id=run.actor_id,
            )
    except Problem as problem:
        run.report.faults.append(Fault(line, f"{row.slug} {picture.path}", problem.detail))
        run.report.figures["pictures wrong"] += 1


def _save_product(run: _Run, record: ProductRecord) -> None:
    """Save a product, then its pictures, whose files are stored outside any transaction."""
    product: Product | None = None
    is_new = changed = False
    with _each(run, "products", _in_lines(run, record)):
        product, is_new, changed = _save_record(run, record)
    if product is None:
        return
    for number, picture in enumerate(record.pictures):
        line = record.line_of(f"pictures.{number}")
        changed |= _save_picture(run, line, product, picture)
    run.note("products", is_new=is_new, changed=changed)


def _save_record(run: _Run, record: ProductRecord) -> tuple[Product, bool, bool]:
    draft = record.draft
    _ensure_category(run, draft.category)
    _ensure_collections(run, draft.collections)
    found = Product.objects.filter(storefront=run.storefront, slug=draft.slug).first()
    saved = save_product(
        storefront=run.storefront,
        draft=draft,
        actor_id=run.actor_id,
        product_id=found.pk if found else None,
    )
    moves = bool(record.status) and record.status != saved.product.status
    if moves:
        to = ProductStatus(record.status)
        move_product(product_id=saved.product.pk, to=to, actor_id=run.actor_id)
    return saved.product, saved.is_new, bool(saved.changed) or moves


def _ensure_category(run: _Run, path: str) -> None:
    """Make the categories of a path that are missing, called after their slugs."""
    steps = path.split("/") if path else []
    for depth, slug in enumerate(steps):
        parent = "/".join(steps[:depth])
        whole = "/".join(steps[: depth + 1])
        if not Category.objects.filter(storefront=run.storefront, path=whole).exists():
            name = slug.replace("-", " ").capitalize()
            draft = CategoryDraft(slug=_slug(slug, "category"), name=name, parent=parent)
            save_category(storefront=run.storefront, draft=draft, actor_id=run.actor_id)
            run.report.figures["categories made"] += 1


def _ensure_collections(run: _Run, slugs: Sequence[str]) -> None:
    known = set(
        Collection.objects.filter(storefront=run.storefront, slug__in=slugs).values_list(
            "slug", flat=True
        )
    )
    for slug in sorted(set(slugs) - known):
        draft = CollectionDraft(_slug(slug, "collections"), slug.replace("-", " ").capitalize())
        save_collection(storefront=run.storefront, draft=draft, actor_id=run.actor_id)
        run.report.figures["collections made"] += 1


def _slug(slug: str, where: str) -> str:
    if not _SLUG.fullmatch(slug) or len(slug) > 64:
        raise Invalid.field(where, f"{slug[:40]!r} is no slug.")
    return slug


def _save_picture(run: _Run, line: int, product: Product, picture: Picture) -> bool:
    """Add a picture, or describe it anew; returns whether anything changed."""
    file = _picture_file(run, line, picture)
    if file is None:
        return False
    if run.report.is_dry:
        return False
    try:
        count = ProductImage.objects.filter(product=product).count()
        with file.open("rb") as content:
            image = add_picture(
                product_id=product.pk,
                upload=Upload(content, file.stat().st_size),
                alt=picture.alt,
                shows=picture.shows,
                actor_id=run.actor_id,
                counted=False,
            )
        if ProductImage.objects.filter(product=product).count() > count:
            run.report.figures["pictures made"] += 1
            return True
        if (image.alt, list(image.shows)) == (picture.alt, list(picture.shows)):
            return False
        change_picture(
            product_id=product.pk,
            image_id=image.pk,
            alt=picture.alt,
            shows=picture.shows,
            actor_id=run.actor_id,
        )
        return True
    except Problem as problem:
        run.report.faults.append(Fault(line, f"{product.slug} {picture.path}", problem.detail))
        run.report.figures["pictures wrong"] += 1
        return False


def _picture_file(run: _Run, line: int, picture: Picture) -> Path | None:
    """Where a picture lies, checked; None with a fault when it is missing or none."""
    found = run.source.picture(picture.path)
    fault = "" if found else "There is no such picture beside the file."
    if found and run.report.is_dry:
        try:
            with found.open("rb") as content:
                clean_picture(content, size=found.stat().st_size)
        except Problem as problem:
            fault = problem.detail
    if fault:
        run.report.faults.append(Fault(line, picture.path, fault))
        run.report.figures["pictures wrong"] += 1
        return None
    return found
