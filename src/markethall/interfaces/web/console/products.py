"""Products: what is in the catalogue, in which state, and what many of them change by at once."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    show_list,
)
from markethall.interfaces.web.links import came_from
from markethall.kernel import clock
from markethall.kernel.errors import Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.actions.change_prices import change_prices
from markethall.trade.catalog.actions.move_products import move_products
from markethall.trade.catalog.models import ProductStatus
from markethall.trade.catalog.queries import cards_of, products_kept
from markethall.trade.catalog.storefronts import goods_storefronts, storefront

_MOST = 200  # products at once
_COLUMNS = [
    {"label": ""},
    {"label": "Product"},
    {"label": "Slug"},
    {"label": "Status"},
    {"label": "Category"},
    {"label": "From", "num": True},
    {"label": "Changed", "num": True},
]
_ACTS = {
    "activate": (ProductStatus.ACTIVE, "on the shelf"),
    "archive": (ProductStatus.ARCHIVED, "archived"),
    "draft": (ProductStatus.DRAFT, "drafts again"),
}


class ProductFilters(Filters):
    q = forms.CharField(label="Words, or start of slug or SKU", max_length=200)
    status = forms.ChoiceField(choices=choices(ProductStatus.values, "Any status"))
    storefront = forms.ChoiceField(
        choices=lambda: [("", "Any storefront"), *((s.slug, s.name) for s in goods_storefronts())]
    )
    category = forms.CharField(label="Category path", max_length=200)


@require_safe
@staff(Permission.CATALOG_WRITE)
def index(request: StaffRequest) -> HttpResponse:
    filters = ProductFilters(request.GET)
    found = products_kept(**filters.chosen())
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    shown = {}
    for shop in {row.storefront for row in page.items}:
        rows = [row for row in page.items if row.storefront == shop]
        shown |= {card.product.pk: card for card in cards_of(rows, storefront(shop).currency)}
    for row in page.items:
        row.card = shown[row.pk]  # type: ignore[attr-defined]
    context = {
        "title": "Products",
        "columns": _COLUMNS,
        "seen_at": clock.now().isoformat(),
        "empty_title": "There are no products yet",
        "empty_text": "Write one down, or import them from a table or a Sanity export.",
        "empty_icon": "gem",
    }
    return show_list(request, "console/products.html", page, context, filters=filters)


@require_POST
@staff(Permission.CATALOG_WRITE)
def bulk(request: StaffRequest) -> HttpResponse:
    """What is done to all products that were ticked: all or none."""
    from django.contrib import messages

    ids = [_id(text) for text in request.POST.getlist("product")[:_MOST]]
    if not ids:
        raise Invalid("Tick some products first.")
    act = request.POST.get("act", "")
    if act == "price":
        points = _points(request.POST.get("percent", ""))
        number = change_prices(
            product_ids=ids,
            basis_points=points,
            actor_id=request.user.pk,
            seen_at=_time(request.POST.get("seen_at", "")),
        )
        text = f"{number} products changed their prices by {points / 100:g} %."
    elif act in _ACTS:
        to, name = _ACTS[act]
        text = f"{len(move_products(product_ids=ids, to=to, actor_id=request.user.pk))} are {name}."
    else:
        raise Invalid("There is no such act.")
    messages.add_message(request, 25, text)
    return HttpResponseRedirect(came_from(request, "/console/products"))


def _time(text: str) -> datetime | None:
    """When the list was shown that the form was sent from."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    return found if found and found.tzinfo else None


def _points(percent: str) -> int:
    try:
        points = Decimal(percent.replace(",", ".")) * 100
    except InvalidOperation:
        points = Decimal("NaN")
    if not points.is_finite() or points != points.to_integral_value():
        raise Invalid.field("percent", "A percentage has two digits after the point at most.")
    if not -9_000 <= points <= 90_000:
        raise Invalid.field("percent", "Between −90 and 900 percent.")
    return int(points)


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Invalid("Reload the page, then tick again.") from error
