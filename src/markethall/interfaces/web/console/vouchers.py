"""Codes that make an order cheaper: the list, one of them with its uses, making one or many."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    only_once,
    show,
    show_list,
)
from markethall.interfaces.web.console.terms_forms import CodesForm, VoucherForm, WorthForm
from markethall.kernel.errors import Problem
from markethall.kernel.pagination import paginate
from markethall.trade.orders.models import Order
from markethall.trade.vouchers import actions
from markethall.trade.vouchers.errors import VoucherMissing
from markethall.trade.vouchers.models import Voucher, VoucherUse
from markethall.trade.vouchers.queries import vouchers

_PATH = "/console/vouchers"
_MOST = 10_000
_COLUMNS = [
    {"label": "Code"},
    {"label": "Takes off"},
    {"label": "State"},
    {"label": "Used", "num": True},
    {"label": "Until", "num": True},
    {"label": "Note"},
]


class VoucherFilters(Filters):
    q = forms.CharField(label="Code (its start)", max_length=32)
    state = forms.ChoiceField(choices=choices(("active", "off"), "Any state"))


@require_safe
@staff(Permission.VOUCHERS_WRITE)
def index(request: StaffRequest) -> HttpResponse:
    filters = VoucherFilters(request.GET)
    found = vouchers(**filters.chosen())
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Vouchers",
        "columns": _COLUMNS,
        "empty_title": "No codes yet",
        "empty_text": "A code takes a percentage, an amount or the shipping off an order.",
        "empty_icon": "ticket",
    }
    return show_list(request, "console/vouchers.html", page, context, filters=filters)


@require_safe
@staff(Permission.VOUCHERS_WRITE)
def codes(request: StaffRequest) -> HttpResponse:
    """The codes that the list shows, as lines of text."""
    found = vouchers(**VoucherFilters(request.GET).chosen()).order_by("-id")
    lines = "".join(f"{code}\n" for code in found.values_list("code", flat=True)[:_MOST])
    return HttpResponse(
        lines,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="codes.txt"'},
    )


@require_safe
@staff(Permission.VOUCHERS_WRITE)
def detail(request: StaffRequest, voucher_id: uuid.UUID) -> HttpResponse:
    return _show(request, _voucher(voucher_id))


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.VOUCHERS_WRITE)
def make(request: StaffRequest) -> HttpResponse:
    form = VoucherForm(request.POST or None)

    def save() -> str:
        fields = {"code": form.cleaned_data["code"], "is_active": form.cleaned_data["is_active"]}
        made = actions.make_voucher(actor_id=request.user.pk, **fields, **_worth(form))
        return f"{_PATH}/{made.pk}"

    return _form(request, form, "A new code", "Make the code", save, "The code can be used.")


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.VOUCHERS_WRITE)
def make_many(request: StaffRequest) -> HttpResponse:
    form = CodesForm(request.POST or None, initial={"max_uses": 1})

    def save() -> str:
        count, prefix = form.cleaned_data["count"], form.cleaned_data["prefix"]
        worth = _worth(form)

        def make() -> str:
            made = actions.make_codes(actor_id=request.user.pk, count=count, prefix=prefix, **worth)
            return made[0].code

        code = only_once(request, make, typed=sorted(request.POST.items()))
        start = code.rpartition("-")[0].rpartition("-")[0] if prefix else ""
        return f"{_PATH}?q={start}"

    return _form(request, form, "Many codes", "Make the codes", save, "The codes can be used.")


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.VOUCHERS_WRITE)
def change(request: StaffRequest, voucher_id: uuid.UUID) -> HttpResponse:
    voucher = _voucher(voucher_id)
    form = VoucherForm(request.POST or None, initial=VoucherForm.of(voucher))

    def save() -> str:
        fields = {"code": form.cleaned_data["code"], "is_active": form.cleaned_data["is_active"]}
        actions.change_voucher(
            voucher_id=voucher_id, actor_id=request.user.pk, **fields, **_worth(form)
        )
        return f"{_PATH}/{voucher_id}"

    return _form(request, form, f"Change {voucher.code}", "Save", save, "Saved.")


@require_POST
@staff(Permission.VOUCHERS_WRITE)
def switch(request: StaffRequest, voucher_id: uuid.UUID) -> HttpResponse:
    """Let a code be used, or no more."""
    is_active = request.POST.get("to") == "on"
    voucher = actions.change_voucher(
        voucher_id=voucher_id, actor_id=request.user.pk, is_active=is_active
    )
    text = f"{voucher.code} can {'be used' if is_active else 'no longer be used'}."
    return done(request, text, to=f"{_PATH}/{voucher_id}", again=lambda: _show(request, voucher))


def _worth(form: WorthForm) -> dict[str, Any]:
    worth = form.worth()
    if form.errors:
        raise Problem("An amount needs another look.")
    return worth


def _form(
    request: StaffRequest, form: WorthForm, title: str, button: str, save: Any, said: str
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            to = save()
        except Problem as problem:
            if not form.errors:
                form.refuse(problem)
        else:
            messages.success(request, said)
            return HttpResponseRedirect(to)
    context = {"title": title, "form": form, "button": button, "back": _PATH}
    status = 422 if form.errors else 200
    return show(request, "console/terms_form.html", context, status=status)


def _voucher(voucher_id: uuid.UUID) -> Voucher:
    voucher = Voucher.objects.filter(pk=voucher_id).first()
    if voucher is None:
        raise VoucherMissing
    return voucher


def _show(request: StaffRequest, voucher: Voucher) -> HttpResponse:
    uses = list(VoucherUse.objects.filter(voucher=voucher).order_by("-pk")[:ROWS])
    orders = Order.objects.only("number", "total", "currency").in_bulk(
        [use.reference for use in uses]
    )
    context = {
        "title": voucher.code,
        "voucher": voucher,
        "uses": [(use, orders.get(use.reference)) for use in uses],
    }
    return show(request, "console/voucher.html", context)
