"""The wish for a piece that there is not yet: a form, and where it leads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from markethall.flows import bespoke as flow
from markethall.interfaces.web.elysium.frame import STOREFRONT, currency_of
from markethall.kernel import clock
from markethall.kernel.errors import Problem
from markethall.kernel.money import Money, minor_digits
from markethall.trade.leads.actions import MAX_PICTURES, Wish

_MOST = 10_000_000  # whole units of a currency


class WishForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "email"})
    )
    phone = forms.CharField(
        label="Phone",
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "tel", "type": "tel"}),
    )
    budget = forms.IntegerField(
        label="Budget",
        required=False,
        min_value=1,
        max_value=_MOST,
        widget=forms.NumberInput(attrs={"class": "input", "inputmode": "numeric"}),
    )
    wanted_by = forms.DateField(
        label="Wanted by",
        required=False,
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
    )
    notes = forms.CharField(
        label="What shall it be?",
        max_length=4000,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 5}),
    )

    def clean_wanted_by(self) -> Any:
        day = self.cleaned_data["wanted_by"]
        if day and not clock.now().date() <= day <= clock.now().date() + timedelta(days=3650):
            raise forms.ValidationError("Choose a day that is still to come.")
        return day

    def show(self, problem: Problem) -> None:
        """Show a problem at the field that it names, else on top."""
        for error in problem.errors:
            self.add_error(error.path if error.path in self.fields else None, error.message)
        if not problem.errors:
            self.add_error(None, problem.detail)


@require_http_methods(["GET", "HEAD", "POST"])
def wish(request: HttpRequest) -> HttpResponse:
    """The form; what cannot be sent stays in it."""
    if request.method != "POST":
        user = request.user
        known = {"name": user.name, "email": user.email} if user.is_authenticated else {}
        return _show(request, WishForm(initial=known))
    form = WishForm(request.POST)
    if not form.is_valid():
        return _show(request, form)
    try:
        _ask(request, form.cleaned_data)
    except Problem as problem:
        form.show(problem)
        return _show(request, form, status=problem.status)
    return HttpResponseRedirect("/elysium/bespoke/thanks", status=303)


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """It has arrived."""
    return render(request, "elysium/bespoke_thanks.html")


def _ask(request: HttpRequest, told: dict[str, Any]) -> None:
    files = [each for each in request.FILES.getlist("pictures") if isinstance(each, UploadedFile)]
    kept = [
        flow.take_picture(
            file=each.file,
            size=each.size or 0,
            name=each.name or "",
            declared_type=each.content_type or "",
        )
        for each in files[: MAX_PICTURES + 1]
    ]
    currency, amount = currency_of(request), told.pop("budget")
    budget = Money(amount * 10 ** minor_digits(currency), currency) if amount else None
    told["email"] = told["email"].lower()
    customer = request.user.pk if request.user.is_authenticated else None
    wish = Wish(**told, budget=budget, pictures=[each.pk for each in kept])
    flow.ask(storefront=STOREFRONT, customer_id=customer, wish=wish)


def _show(request: HttpRequest, form: WishForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "currency": currency_of(request),
        "most": MAX_PICTURES,
        "most_mb": settings.MAX_FILES_BYTES // 1024 // 1024,
    }
    if form.errors and status == 200:
        status = 422
    return render(request, "elysium/bespoke.html", context, status=status)
