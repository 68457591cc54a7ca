"""Stock: what there is of each variant, what came and went, and changes by hand."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.accounts.queries import emails_of
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    invalid,
    only_once,
    show,
    show_list,
)
from markethall.kernel.errors import Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.storefronts import storefronts
from markethall.trade.inventory import actions
from markethall.trade.inventory.models import StockReason
from markethall.trade.inventory.queries import moves_of, stock_item, stock_items
from markethall.trade.inventory.rules import MAX_LEVEL

_HISTORY = 30
_COLUMNS = [
    {"label": "SKU"},
    {"label": "Product"},
    {"label": "Available", "num": True},
    {"label": "Reserved", "num": True},
    {"label": "On hand", "num": True},
    {"label": "State"},
    {"label": "Changed", "num": True},
]
_REASONS = [reason for reason in StockReason.values if reason != StockReason.SOLD]
_SHOWN = [
    ("", "Everything"),
    ("low", "low"),
    ("out", "sold out"),
    ("reserved", "reserved"),
    ("uncounted", "made to order"),
]


class StockFilters(Filters):
    q = forms.CharField(label="Start of the SKU, or words of the product", max_length=80)
    show = forms.ChoiceField(label="Show", choices=_SHOWN)
    storefront = forms.ChoiceField(choices=choices(storefronts(), "Any storefront"))


class AdjustForm(forms.Form):
    level = forms.IntegerField(min_value=0, max_value=MAX_LEVEL, required=False)
    change = forms.IntegerField(min_value=-MAX_LEVEL, max_value=MAX_LEVEL, required=False)
    reason = forms.ChoiceField(choices=[(reason, reason) for reason in _REASONS])
    note = forms.CharField(max_length=500, required=False)


class CountForm(forms.Form):
    is_counted = forms.BooleanField(required=False)
    low_at = forms.IntegerField(min_value=0, max_value=MAX_LEVEL)


@require_safe
@staff(Permission.STOCK_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = StockFilters(request.GET)
    found = stock_items(**filters.chosen())
    page = paginate(found, order=["-urgency", "pk"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Stock",
        "columns": _COLUMNS,
        "live": actions.TOPIC,
        "empty_title": "Nothing is counted yet",
        "empty_text": "A variant stands here as soon as its product is made.",
        "empty_icon": "package",
    }
    return show_list(request, "console/stock.html", page, context, filters=filters)


@require_safe
@staff(Permission.STOCK_READ)
def detail(request: StaffRequest, variant_id: uuid.UUID) -> HttpResponse:
    return _show(request, variant_id)


@require_POST
@staff(Permission.STOCK_WRITE)
def adjust(request: StaffRequest, variant_id: uuid.UUID) -> HttpResponse:
    form = AdjustForm(request.POST)
    if not form.is_valid():
        raise invalid(form)
    said = form.cleaned_data

    def act() -> str:
        item = actions.adjust(
            variant_id=variant_id,
            level=said["level"],
            change=said["change"],
            reason=StockReason(said["reason"]),
            note=said["note"],
            actor_id=request.user.pk,
        )
        return f"{item.variant.sku}: {item.on_hand:,} on hand."

    return _done(request, variant_id, only_once(request, act, typed=said))


@require_POST
@staff(Permission.STOCK_WRITE)
def change(request: StaffRequest, variant_id: uuid.UUID) -> HttpResponse:
    form = CountForm(request.POST)
    if not form.is_valid():
        raise invalid(form)
    actions.change_item(variant_id=variant_id, actor_id=request.user.pk, **form.cleaned_data)
    return _done(request, variant_id, "Saved.")


@require_POST
@staff(Permission.STOCK_WRITE)
def receive(request: StaffRequest) -> HttpResponse:
    """Add what a pasted list, or a CSV file, says was received."""
    typed = {"text": _list(request), "note": request.POST.get("note", "")}

    def act() -> int:
        return actions.receive_list(**typed, actor_id=request.user.pk)

    try:
        count = only_once(request, act, typed=typed)
    except Invalid as refused:
        told = [
            f"{error.path.replace('list.', 'Line ')}: {error.message}" for error in refused.errors
        ]
        raise Invalid(" ".join(told[:5]) or refused.detail) from refused
    text = f"{count} variant{'' if count == 1 else 's'} received."
    return done(request, text, to="/console/stock", again=HttpResponse)


def _list(request: StaffRequest) -> str:
    file: Any = request.FILES.get("file")
    if file is None:
        return request.POST.get("list", "").replace("\x00", "")
    try:
        return str(file.read(200_000).decode("utf-8-sig")).replace("\x00", "")
    except UnicodeDecodeError as error:
        raise Invalid("The file is no text in UTF-8.") from error


def _done(request: StaffRequest, variant_id: uuid.UUID, text: str) -> HttpResponse:
    return done(
        request, text, to=f"/console/stock/{variant_id}", again=lambda: _show(request, variant_id)
    )


def _show(request: StaffRequest, variant_id: uuid.UUID) -> HttpResponse:
    item = stock_item(variant_id)
    moves = list(moves_of(variant_id).order_by("-pk")[:_HISTORY])
    context = {
        "title": item.variant.sku,
        "item": item,
        "moves": moves,
        "names": emails_of([move.actor_id for move in moves]),
        "reasons": _REASONS,
    }
    return show(request, "console/stock_item.html", context)
