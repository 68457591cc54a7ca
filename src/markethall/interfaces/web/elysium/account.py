"""What is one's own: profile and preferences, addresses, orders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from markethall.flows.order_sheet import address_lines
from markethall.foundation.accounts import belongings
from markethall.foundation.accounts.actions import update_profile
from markethall.foundation.accounts.models import Address
from markethall.interfaces.web.elysium.addresses import AddressForm, initial_of
from markethall.interfaces.web.elysium.frame import STOREFRONT
from markethall.interfaces.web.members import member, members_only
from markethall.interfaces.web.orders.showing import state_of
from markethall.kernel.errors import Problem
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.models import ProductImage
from markethall.trade.orders.models import Order
from markethall.trade.orders.queries import orders_of
from markethall.trade.shipping.addresses import checked

ACCOUNT = "/elysium/account"
ADDRESSES = f"{ACCOUNT}/addresses"
_TABS = (
    (ACCOUNT, "Profile"),
    (f"{ACCOUNT}/orders", "Orders"),
    (ADDRESSES, "Addresses"),
    ("/elysium/wishlist", "Wishlist"),
)


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "name"}),
    )
    phone = forms.CharField(
        label="Phone",
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "tel", "type": "tel"}),
    )
    email_notifications = forms.BooleanField(required=False)
    marketing_emails = forms.BooleanField(required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(back=ACCOUNT)
def profile(request: HttpRequest) -> HttpResponse:
    """Name, phone, and which mails to get."""
    user = member(request)
    if request.method == "POST":
        form = ProfileForm(request.POST)
        if form.is_valid():
            told = form.cleaned_data
            update_profile(user=user, name=told.pop("name"), phone=told.pop("phone"))
            belongings.change_settings(user=user, **told)
            messages.success(request, "Saved.")
            return HttpResponseRedirect(ACCOUNT, status=303)
    else:
        own = belongings.settings_of(user.pk)
        form = ProfileForm(
            initial={
                "name": user.name,
                "phone": user.phone,
                "email_notifications": own.email_notifications,
                "marketing_emails": own.marketing_emails,
            }
        )
    context = {"form": form, "tabs": tabs(ACCOUNT)}
    return render(request, "elysium/account.html", context, status=422 if form.errors else 200)


@require_safe
@members_only
def orders(request: HttpRequest) -> HttpResponse:
    """What was ordered here, the latest first."""
    own = orders_of(member(request).pk).filter(storefront=STOREFRONT).prefetch_related("lines")
    page = paginate(own, order=("-id",), limit=10, cursor=request.GET.get("cursor") or None)
    here = f"{ACCOUNT}/orders"
    context = {
        "orders": orders_shown(page.items),
        "next_url": f"{here}?cursor={page.next_cursor}" if page.next_cursor else "",
        "tabs": tabs(here),
    }
    return render(request, "elysium/orders.html", context)


@require_safe
@members_only
def addresses(request: HttpRequest) -> HttpResponse:
    """The address book."""
    own = Address.objects.filter(user=member(request)).order_by("kind", "-is_default", "-pk")
    shown = [(each, address_lines(model_to_dict(each))) for each in own]
    context = {"addresses": shown, "tabs": tabs(ADDRESSES)}
    return render(request, "elysium/addresses.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(back=ADDRESSES)
def address(request: HttpRequest, address_id: UUID | None = None) -> HttpResponse:
    """A new address, or one that changes."""
    user = member(request)
    kept = Address.objects.filter(user=user, pk=address_id).first() if address_id else None
    if address_id and kept is None:
        return HttpResponseRedirect(ADDRESSES, status=303)
    kind = kept.kind if kept else Address.Kind.SHIPPING
    if request.method == "POST":
        form = AddressForm(request.POST, prefix="shipping")
        wanted = request.POST.get("kind", kind)
        kind = Address.Kind(wanted) if wanted in Address.Kind.values else kind
        try:
            _keep(request, form, kind, kept)
        except Problem as problem:
            if not problem.errors:
                raise
            form.show(problem.errors)
        else:
            messages.success(request, "Saved.")
            return HttpResponseRedirect(ADDRESSES, status=303)
    else:
        form = AddressForm(initial=initial_of(kept), prefix="shipping")
    context = {
        "form": form,
        "kept": kept,
        "kind": kind,
        "is_default": "is_default" in request.POST or (kept is not None and kept.is_default),
        "tabs": tabs(ADDRESSES),
    }
    return render(request, "elysium/address.html", context, status=422 if form.errors else 200)


@require_POST
@members_only(back=ADDRESSES)
def forget_address(request: HttpRequest, address_id: UUID) -> HttpResponse:
    """Take an address out of the book."""
    belongings.remove_address(user=member(request), address_id=address_id)
    messages.success(request, "Removed.")
    return HttpResponseRedirect(ADDRESSES, status=303)


def tabs(here: str) -> list[dict[str, Any]]:
    """The menu of what is one's own."""
    return [{"url": url, "label": label, "current": url == here} for url, label in _TABS]


def orders_shown(found: list[Order]) -> list[dict[str, Any]]:
    """Orders with the pictures of what was bought; one statement for any number."""
    ids = {line.data.get("imageId") for order in found for line in order.lines.all()} - {None}
    pictures = {
        str(pk): image
        for pk, image in ProductImage.objects.select_related("file").in_bulk(ids).items()
    }
    return [
        {
            "order": order,
            "state": state_of(order),
            "lines": [
                {"line": line, "picture": pictures.get(str(line.data.get("imageId")))}
                for line in order.lines.all()
            ],
        }
        for order in found
    ]


def _keep(request: HttpRequest, form: AddressForm, kind: str, kept: Address | None) -> None:
    told: dict[str, Any] = dict(checked(form.typed(), "shippingAddress"))
    told |= {"kind": kind, "is_default": "is_default" in request.POST}
    user = member(request)
    if kept:
        belongings.change_address(user=user, address_id=kept.pk, **told)
    else:
        belongings.add_address(user=user, **told)
