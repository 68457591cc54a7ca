"""How orders are sent and taxed: shipping methods with their prices, and tax rates."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import cursor_of, done, show, show_list
from markethall.interfaces.web.console.terms_forms import (
    MethodForm,
    PriceForm,
    PriceForms,
    RateForm,
    TermsForm,
)
from markethall.kernel.countries import countries
from markethall.kernel.errors import Problem
from markethall.kernel.pagination import Page, paginate
from markethall.trade.shipping import actions as shipping
from markethall.trade.shipping.errors import ShippingMethodMissing
from markethall.trade.shipping.models import ShippingMethod
from markethall.trade.shipping.queries import methods
from markethall.trade.taxes import actions as taxes
from markethall.trade.taxes.errors import TaxRateMissing
from markethall.trade.taxes.models import TaxRate

_METHODS = "/console/shipping"
_RATES = "/console/taxes"
_METHOD_COLUMNS = [
    {"label": "Method"},
    {"label": "Storefront"},
    {"label": "State"},
    {"label": "Goes to"},
    {"label": "Days", "num": True},
    {"label": "Prices"},
]
_RATE_COLUMNS = [
    {"label": "Country"},
    {"label": "Category"},
    {"label": "Name"},
    {"label": "Rate", "num": True},
    {"label": "Prices"},
]
_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@staff(Permission.SHIPPING_WRITE)
def index(request: StaffRequest) -> HttpResponse:
    found = list(methods())
    context = {
        "title": "Shipping",
        "columns": _METHOD_COLUMNS,
        "tab": "shipping",
        "empty_title": "Nothing can be sent",
        "empty_text": "Without a shipping method no goods can be bought.",
        "empty_icon": "truck",
    }
    return show_list(request, "console/shipping_methods.html", Page(found, None), context)


@_form_page
@staff(Permission.SHIPPING_WRITE)
def make_method(request: StaffRequest) -> HttpResponse:
    return _method(request, None)


@_form_page
@staff(Permission.SHIPPING_WRITE)
def method(request: StaffRequest, method_id: uuid.UUID) -> HttpResponse:
    found = methods().filter(pk=method_id).first()
    if found is None:
        raise ShippingMethodMissing
    return _method(request, found)


@require_POST
@staff(Permission.SHIPPING_WRITE)
def remove_method(request: StaffRequest, method_id: uuid.UUID) -> HttpResponse:
    shipping.remove_method(method_id=method_id, actor_id=request.user.pk)
    return done(request, "Removed.", to=_METHODS, again=lambda: HttpResponse(status=204))


@require_safe
@staff(Permission.SHIPPING_WRITE)
def rates(request: StaffRequest) -> HttpResponse:
    page = paginate(
        TaxRate.objects.all(),
        order=["country", "category", "id"],
        limit=100,
        cursor=cursor_of(request),
    )
    context = {
        "title": "Taxes",
        "columns": _RATE_COLUMNS,
        "tab": "taxes",
        "names": countries(),
        "empty_title": "No taxes are stated",
        "empty_text": "Everything is sold without tax.",
        "empty_icon": "percent",
    }
    return show_list(request, "console/taxes.html", page, context)


@_form_page
@staff(Permission.SHIPPING_WRITE)
def state_rate(request: StaffRequest) -> HttpResponse:
    return _rate(request, None)


@_form_page
@staff(Permission.SHIPPING_WRITE)
def rate(request: StaffRequest, rate_id: uuid.UUID) -> HttpResponse:
    found = TaxRate.objects.filter(pk=rate_id).first()
    if found is None:
        raise TaxRateMissing
    return _rate(request, found)


@require_POST
@staff(Permission.SHIPPING_WRITE)
def remove_rate(request: StaffRequest, rate_id: uuid.UUID) -> HttpResponse:
    taxes.remove_rate(rate_id=rate_id, actor_id=request.user.pk)
    return done(request, "Removed.", to=_RATES, again=lambda: HttpResponse(status=204))


def _method(request: StaffRequest, found: ShippingMethod | None) -> HttpResponse:
    initial = MethodForm.of(found) if found else None
    rows = [PriceForm.of(price) for price in found.prices.all()] if found else []
    form = MethodForm(request.POST or None, initial=initial)
    prices = PriceForms(request.POST or None, initial=sorted(rows, key=_by_weight), prefix="price")

    def save() -> None:
        given = [price.price() for price in prices]
        if any(price.errors for price in prices):
            raise Problem("A price needs another look.")
        shipping.keep_method(
            actor_id=request.user.pk,
            method_id=found.pk if found else None,
            prices=[price for price in given if price],
            **form.method(),
        )

    context = {
        "title": found.name if found else "A new way to send",
        "prices": prices,
        "back": _METHODS,
        "remove": f"{_METHODS}/{found.pk}/remove" if found else "",
    }
    is_valid = request.method == "POST" and form.is_valid() and prices.is_valid()
    return _answer(request, form, is_valid, save, context)


def _rate(request: StaffRequest, found: TaxRate | None) -> HttpResponse:
    form = RateForm(request.POST or None, initial=RateForm.of(found) if found else None)

    def save() -> None:
        taxes.state_rate(
            actor_id=request.user.pk, rate_id=found.pk if found else None, **form.rate()
        )

    name = countries().get(found.country, "All others") if found else ""
    context = {
        "title": f"{found.name} in {name}" if found else "State a tax",
        "back": _RATES,
        "remove": f"{_RATES}/{found.pk}/remove" if found else "",
    }
    return _answer(request, form, request.method == "POST" and form.is_valid(), save, context)


def _answer(
    request: StaffRequest,
    form: TermsForm,
    is_valid: bool,
    save: Callable[[], None],
    context: dict[str, Any],
) -> HttpResponse:
    """Save what is valid and lead back to the list, or show the form with what is wrong."""
    if is_valid:
        try:
            save()
        except Problem as problem:
            form.refuse(problem)
        else:
            messages.success(request, "Saved. Orders that were placed stay as they are.")
            return HttpResponseRedirect(context["back"])
    status = 422 if request.method == "POST" else 200
    every = {"form": form, "button": "Save", **context}
    return show(request, "console/terms_form.html", every, status=status)


def _by_weight(row: dict[str, Any]) -> tuple[str, bool, int]:
    return row["currency"], row["up_to_grams"] is None, row["up_to_grams"] or 0
