"""One product: all of it in one form, its pictures beside it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show
from markethall.interfaces.web.console.product_form import draft_from, form_of, scalar
from markethall.kernel.errors import Invalid, Problem
from markethall.trade.catalog.actions.move_products import move_product
from markethall.trade.catalog.actions.pictures import (
    Upload,
    add_picture,
    change_picture,
    delete_picture,
    order_pictures,
)
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.draft_rules import variants_of
from markethall.trade.catalog.drafts import ProductDraft, draft_of
from markethall.trade.catalog.models import Product, ProductStatus, TaxCategory
from markethall.trade.catalog.queries import (
    all_categories,
    collections_shown,
    images_of,
    product_by_key,
)
from markethall.trade.catalog.status_rules import MOVES
from markethall.trade.catalog.storefronts import goods_storefronts, storefront

_EMPTY = ProductDraft(slug="", name="", prices={})


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.CATALOG_WRITE)
def new(request: StaffRequest) -> HttpResponse:
    """Write a product down."""
    slug = scalar(request.POST or request.GET, "storefront") or goods_storefronts()[0].slug
    if slug not in {shop.slug for shop in goods_storefronts()}:
        raise Invalid.field("storefront", "This storefront sells no products.")
    if request.method != "POST":
        return _show(request, None, slug, _EMPTY)
    return _save(request, None, slug)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.CATALOG_WRITE)
def edit(request: StaffRequest, product_id: uuid.UUID) -> HttpResponse:
    product = product_by_key(str(product_id))
    if request.method != "POST":
        return _show(request, product, product.storefront, draft_of(product))
    return _save(request, product, product.storefront)


@require_POST
@staff(Permission.CATALOG_WRITE)
def move(request: StaffRequest, product_id: uuid.UUID) -> HttpResponse:
    to = scalar(request.POST, "to")
    if to not in ProductStatus.values:
        raise Invalid.field("to", "There is no such state.")
    note = scalar(request.POST, "note")[:500]
    product = move_product(
        product_id=product_id, to=ProductStatus(to), actor_id=request.user.pk, note=note
    )
    return _back(request, product.pk, f"{product.name} is {to} now.")


@require_POST
@staff(Permission.CATALOG_WRITE)
def pictures(request: StaffRequest, product_id: uuid.UUID) -> HttpResponse:
    """Add a picture."""
    file = request.FILES.get("file")
    if file is None:
        raise Invalid.field("file", "Choose a picture first.")
    add_picture(
        product_id=product_id,
        upload=Upload(file.file, file.size or 0, file.name or "", file.content_type or ""),
        alt=scalar(request.POST, "alt"),
        actor_id=request.user.pk,
    )
    return _back(request, product_id, "The picture is there, in all its sizes.")


@require_POST
@staff(Permission.CATALOG_WRITE)
def picture(request: StaffRequest, product_id: uuid.UUID, image_id: uuid.UUID) -> HttpResponse:
    """What is done to a picture, by the button that was pressed."""
    act = scalar(request.POST, "act")
    about: dict[str, Any] = {"product_id": product_id, "actor_id": request.user.pk}
    if act == "delete":
        delete_picture(**about, image_id=image_id)
        return _back(request, product_id, "The picture is gone.")
    if act == "first":
        order_pictures(**about, image_ids=[image_id])
        return _back(request, product_id, "The picture stands first now.")
    change_picture(
        **about,
        image_id=image_id,
        alt=scalar(request.POST, "alt"),
        shows=scalar(request.POST, "shows").replace(",", " ").split(),
    )
    return _back(request, product_id, "Saved.")


def _save(request: StaffRequest, product: Product | None, slug: str) -> HttpResponse:
    draft, faults = draft_from(request.POST)
    if not faults:
        try:
            saved = save_product(
                storefront=slug,
                draft=draft,
                actor_id=request.user.pk,
                product_id=product.pk if product else None,
                unchanged_since=_time(scalar(request.POST, "unchanged_since")),
            )
        except Problem as problem:
            faults = {error.path: error.message for error in problem.errors}
            faults = faults or {"": problem.detail}
        else:
            text = "Saved." if saved.changed else "There was nothing to change."
            return _back(request, saved.product.pk, text)
    return _show(request, product, slug, draft, faults)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid("Reload the page, then make your changes.") from error


def _back(request: StaffRequest, product_id: uuid.UUID, text: str) -> HttpResponse:
    messages.add_message(request, 25, text)
    return HttpResponseRedirect(f"/console/products/{product_id}")


def _show(
    request: StaffRequest,
    product: Product | None,
    slug: str,
    draft: ProductDraft,
    faults: Mapping[str, str] | None = None,
) -> HttpResponse:
    currencies: Sequence[str] = sorted(
        {*storefront(slug).currencies, *draft.prices},
        key=[*storefront(slug).currencies, *sorted(draft.prices)].index,
    )
    context = {
        "title": draft.name or "A new product",
        "product": product,
        "storefront": slug,
        "form": form_of(draft, currencies, faults or {}),
        "currencies": currencies,
        "faults": faults or {},
        "images": list(images_of([product.pk])) if product else [],
        "categories": all_categories(slug),
        "collections": collections_shown(slug),
        "chosen_collections": set(draft.collections),
        "tax_categories": TaxCategory.values,
        "moves": sorted(MOVES[ProductStatus(product.status)]) if product else [],
        "variant_count": 0 if faults else len(variants_of(draft)),
        "draft": draft,
    }
    return show(request, "console/product.html", context, status=422 if faults else 200)
