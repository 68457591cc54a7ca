"""Categories and collections: the tree and the stories that products stand in."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show
from markethall.interfaces.web.console.product_form import scalar
from markethall.kernel.errors import Invalid, Problem
from markethall.trade.catalog.actions.categories import (
    CategoryDraft,
    delete_category,
    save_category,
)
from markethall.trade.catalog.actions.collections import (
    CollectionDraft,
    delete_collection,
    save_collection,
)
from markethall.trade.catalog.actions.pictures import Upload, show_collection_with
from markethall.trade.catalog.models import Collection, CollectionItem
from markethall.trade.catalog.queries import all_categories
from markethall.trade.catalog.storefronts import goods_storefronts


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.CATALOG_WRITE)
def categories(request: StaffRequest) -> HttpResponse:
    """The tree of a storefront, each category with its form."""
    slug, fault = _storefront(request), ""
    if request.method == "POST":
        try:
            return _done(request, "categories", slug, _change_category(request, slug))
        except Problem as problem:
            fault = _said(problem)
    rows = all_categories(slug)
    context = {
        **_shared("Categories", slug, fault),
        "rows": [(row, row.path.count("/"), row.path.rpartition("/")[0]) for row in rows],
        "paths": [row.path for row in rows],
    }
    return show(request, "console/categories.html", context, status=422 if fault else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.CATALOG_WRITE)
def collections(request: StaffRequest) -> HttpResponse:
    """The collections of a storefront, each with its form."""
    slug, fault = _storefront(request), ""
    if request.method == "POST":
        try:
            return _done(request, "collections", slug, _change_collection(request, slug))
        except Problem as problem:
            fault = _said(problem)
    rows = list(
        Collection.objects.filter(storefront=slug)
        .select_related("picture")
        .order_by("position", "pk")
    )
    held: dict[uuid.UUID, list[str]] = {row.pk: [] for row in rows}
    items = CollectionItem.objects.filter(collection__in=rows).order_by("position", "pk")
    for collection_id, product in items.values_list("collection_id", "product__slug"):
        held[collection_id].append(product)
    context = {
        **_shared("Collections", slug, fault),
        "rows": [(row, " ".join(held[row.pk])) for row in rows],
    }
    return show(request, "console/collections.html", context, status=422 if fault else 200)


def _change_category(request: StaffRequest, slug: str) -> str:
    category_id = _id(scalar(request.POST, "id"))
    if scalar(request.POST, "act") == "delete" and category_id:
        delete_category(storefront=slug, category_id=category_id, actor_id=request.user.pk)
        return "The category is gone."
    draft = CategoryDraft(
        slug=scalar(request.POST, "slug"),
        name=_line(request, "name"),
        parent=scalar(request.POST, "parent"),
        description=scalar(request.POST, "description")[:500],
        position=_number(request),
        is_active="is_active" in request.POST,
    )
    save_category(storefront=slug, draft=draft, actor_id=request.user.pk, category_id=category_id)
    return f"{draft.name} is saved."


def _change_collection(request: StaffRequest, slug: str) -> str:
    collection_id = _id(scalar(request.POST, "id"))
    if scalar(request.POST, "act") == "delete" and collection_id:
        delete_collection(storefront=slug, collection_id=collection_id, actor_id=request.user.pk)
        return "The collection is gone; its products stay."
    draft = CollectionDraft(
        slug=scalar(request.POST, "slug"),
        name=_line(request, "name"),
        summary=scalar(request.POST, "summary")[:200],
        story=scalar(request.POST, "story").replace("\r\n", "\n"),
        position=_number(request),
        is_active="is_active" in request.POST,
        products=scalar(request.POST, "products").replace(",", " ").split(),
    )
    row = save_collection(
        storefront=slug, draft=draft, actor_id=request.user.pk, collection_id=collection_id
    )
    file = request.FILES.get("file")
    if file:
        show_collection_with(
            collection_id=row.pk,
            upload=Upload(file.file, file.size or 0, file.name or "", file.content_type or ""),
            alt=draft.name,
            actor_id=request.user.pk,
        )
    return f"{draft.name} is saved."


def _shared(title: str, slug: str, fault: str) -> dict[str, Any]:
    return {
        "title": title,
        "storefront": slug,
        "storefronts": goods_storefronts(),
        "fault": fault,
    }


def _storefront(request: StaffRequest) -> str:
    slug = scalar(request.GET, "storefront") or goods_storefronts()[0].slug
    if slug not in {shop.slug for shop in goods_storefronts()}:
        raise Invalid.field("storefront", "This storefront sells no products.")
    return slug


def _done(request: StaffRequest, page: str, slug: str, text: str) -> HttpResponse:
    messages.add_message(request, 25, text)
    return HttpResponseRedirect(f"/console/{page}?storefront={slug}")


def _said(problem: Problem) -> str:
    return " ".join(error.message for error in problem.errors) or problem.detail


def _line(request: StaffRequest, name: str) -> str:
    text = scalar(request.POST, name)
    if not text or len(text) > 120:
        raise Invalid.field(name, "A name has 1 to 120 characters.")
    return text


def _number(request: StaffRequest) -> int:
    text = scalar(request.POST, "position") or "0"
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 32_767):
        raise Invalid.field("position", "A place is a whole number up to 32767.")
    return int(text)


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise Invalid("Reload the page, then make your changes.") from error
