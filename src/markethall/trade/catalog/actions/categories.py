from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from markethall.foundation.audit.actions import record
from markethall.kernel.errors import Conflict, Invalid
from markethall.kernel.locking import lock
from markethall.trade.catalog.errors import CategoryInUse, CategoryMissing, SlugTaken
from markethall.trade.catalog.models import Category, Facet, Product
from markethall.trade.catalog.upkeep import refresh

MAX_DEPTH = 5


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    """A category as it is saved. ``parent`` is a path, empty at the root."""

    slug: str
    name: str
    parent: str = ""
    description: str = ""
    position: int = 0
    is_active: bool = True

    @property
    def path(self) -> str:
        return f"{self.parent}/{self.slug}" if self.parent else self.slug


def save_category(
    *,
    storefront: str,
    draft: CategoryDraft,
    actor_id: uuid.UUID | None,
    category_id: uuid.UUID | None = None,
) -> Category:
    """Save a new category, or over the one that has ``category_id``: what is in it moves along.

    Raises Invalid, for a place within itself too, SlugTaken and CategoryMissing.
    """
    with transaction.atomic():
        # All of the tree, so that two moves at once make no circle.
        tree = lock(Category.objects.filter(storefront=storefront))
        category = _one(tree, category_id) if category_id else Category(storefront=storefront)
        parent = _parent(tree, draft, category)
        before = category.path
        _check_length(tree, draft.path, before)
        if (draft.slug, draft.name, draft.description, draft.position, draft.is_active, parent) == (
            category.slug,
            category.name,
            category.description,
            category.position,
            category.is_active,
            category.parent if category_id else None,
        ) and category_id:
            return category
        renamed = category.name != draft.name
        category.slug, category.name, category.parent = draft.slug, draft.name, parent
        category.description, category.position = draft.description, draft.position
        category.is_active, category.path = draft.is_active, draft.path
        try:
            with transaction.atomic():
                category.save(force_insert=category_id is None)
        except IntegrityError as error:
            raise SlugTaken(f"There is a category {draft.path!r} already.") from error
        _name_facet(category)
        if category_id and (before != category.path or renamed):
            _move_along(tree, category, before)
        record(
            "category.save" if category_id else "category.create",
            actor_id=actor_id,
            subject_type="category",
            subject_id=category.pk,
            path=category.path,
            before=before,
        )
    return category


def delete_category(*, storefront: str, category_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """Delete an empty category. Raises CategoryMissing and CategoryInUse."""
    with transaction.atomic():
        category = _one(lock(Category.objects.filter(storefront=storefront)), category_id)
        if category.children.exists() or category.products.exists():
            raise CategoryInUse("Move what is in it first.")
        Facet.objects.filter(storefront=storefront, key=f"category:{category.path}").delete()
        record(
            "category.delete",
            actor_id=actor_id,
            subject_type="category",
            subject_id=category.pk,
            path=category.path,
        )
        category.delete()


def _one(tree: Sequence[Category], category_id: uuid.UUID | None) -> Category:
    for category in tree:
        if category.pk == category_id:
            return category
    raise CategoryMissing


def _parent(tree: Sequence[Category], draft: CategoryDraft, category: Category) -> Category | None:
    if not draft.parent:
        return None
    parent = next((one for one in tree if one.path == draft.parent), None)
    if parent is None:
        raise Invalid.field("parent", f"There is no category {draft.parent!r}.")
    if category.path and f"{parent.path}/".startswith(f"{category.path}/"):
        raise Invalid.field("parent", "A category cannot stand within itself.", "circle")
    return parent


def _check_length(tree: Sequence[Category], path: str, before: str) -> None:
    below = [one.path for one in tree if before and one.path.startswith(f"{before}/")]
    paths = [path, *(path + old[len(before) :] for old in below)]
    if max(len(one) for one in paths) > 200:
        raise Invalid.field("slug", "A path of categories has at most 200 characters.")
    if max(one.count("/") for one in paths) >= MAX_DEPTH:
        raise Invalid.field("parent", f"Categories stand {MAX_DEPTH} deep at most.")


def _move_along(tree: Sequence[Category], category: Category, before: str) -> None:
    """Give what stands below its new path, and all products their new facets."""
    below = [one for one in tree if one.path.startswith(f"{before}/")]
    if before != category.path:
        old = [before, *(one.path for one in below)]
        for one in below:
            one.path = category.path + one.path[len(before) :]
        try:
            with transaction.atomic():
                Category.objects.bulk_update(below, ["path"])
        except IntegrityError as error:
            raise Conflict("Another category has one of these paths.") from error
        Facet.objects.filter(
            storefront=category.storefront, key__in=[f"category:{path}" for path in old]
        ).delete()
        for one in [category, *below]:
            _name_facet(one)
    ids = [category.pk, *(one.pk for one in below)]
    refresh(Product.objects.filter(category__in=ids).values_list("pk", flat=True))


def _name_facet(category: Category) -> None:
    Facet.objects.update_or_create(
        storefront=category.storefront,
        key=f"category:{category.path}",
        defaults={"group": "Category", "name": category.name, "position": category.position},
    )
