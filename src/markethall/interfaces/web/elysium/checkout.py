"""Checkout on one page: address, delivery, review, pay. A guest's too.

The form is sent whole. What costs what is asked again whenever the country or the method changes;
what the customer saw last goes along, so that nobody pays another total than they agreed to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from markethall.flows.cart_checkout import TotalChanged, check_out
from markethall.flows.cart_orders import bought_lately, placed_by_guest
from markethall.foundation.accounts.limits import count, count_by_address
from markethall.foundation.accounts.models import Address, User
from markethall.interfaces.web.elysium import bags
from markethall.interfaces.web.elysium.addresses import AddressForm, initial_of, one_line
from markethall.interfaces.web.elysium.bag import BAG, lines_shown, quote_of, sums_shown
from markethall.interfaces.web.elysium.frame import currency_of
from markethall.interfaces.web.errors import shows_again
from markethall.interfaces.web.members import to_login
from markethall.kernel.errors import FieldError, Problem
from markethall.kernel.ids import digest, new_id
from markethall.trade.cart.models import Cart
from markethall.trade.inventory.errors import OutOfStock
from markethall.trade.orders.access import order_link
from markethall.trade.orders.models import Order

_HOME = {"USD": "US", "GBP": "GB", "JPY": "JP"}  # where a currency is at home
_PAGE = "elysium/checkout.html"
_TYPED = "checkout_typed"  # in the session: what was sent when session or bag were gone
_LONGEST = 500


@dataclass(slots=True)
class Entry:
    """What somebody has typed so far."""

    shipping: AddressForm
    billing: AddressForm
    email: str = ""
    method: str = ""
    note: str = ""
    key: str = ""
    saved: str = ""
    is_same: bool = True
    keeps: bool = False
    faults: list[dict[str, str]] = field(default_factory=list)
    title: str = ""

    @classmethod
    def begun(cls, request: HttpRequest) -> Entry:
        """An empty form, or one that holds the address that was chosen or is kept."""
        own = _addresses(request)
        asked = request.GET.get("saved", "")
        chosen = next((each for each in own if str(each.pk) == asked), None)
        if chosen is None and asked != "new":
            chosen = next(iter(own), None)
        first = initial_of(chosen) or {"country": _HOME.get(currency_of(request), "")}
        cart = bags.cart_here(request)
        before = placed_by_guest(cart) if cart else None
        if before and before.shipping_address:
            return cls._like(before)
        return cls(
            shipping=AddressForm(initial=first, prefix="shipping"),
            billing=AddressForm(prefix="billing"),
            key=str(new_id()),
            saved=str(chosen.pk) if chosen else "new",
            keeps=not own,
        )

    @classmethod
    def _like(cls, order: Order) -> Entry:
        """What was typed for an order that came to nothing."""
        return cls(
            shipping=AddressForm(initial=initial_of(order.shipping_address), prefix="shipping"),
            billing=AddressForm(initial=initial_of(order.billing_address), prefix="billing"),
            email=order.email,
            note=order.customer_note,
            key=str(new_id()),
            saved="new",
            is_same=order.billing_address == order.shipping_address,
        )

    @classmethod
    def read(cls, sent: Mapping[str, str]) -> Entry:
        """What was sent."""
        return cls(
            shipping=AddressForm(sent, prefix="shipping"),
            billing=AddressForm(sent, prefix="billing"),
            email=sent.get("email", "").strip(),
            method=sent.get("method", ""),
            note=sent.get("note", ""),
            key=sent.get("key", "")[:255] or str(new_id()),
            saved=sent.get("saved", ""),
            is_same="same" in sent,
            keeps="keep" in sent,
        )

    @property
    def country(self) -> str:
        return str(self.shipping["country"].value() or "")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def checkout(request: HttpRequest) -> HttpResponse:
    """The page; sent, it leads to the gateway's."""
    if _has_lapsed(request):
        return _to_sign_in(request)
    cart = bags.cart_here(request)
    if cart is None or not quote_of(request).lines:
        return _nothing_to_pay(request, cart)
    is_sent = request.method == "POST"
    entry = Entry.read(request.POST) if is_sent else _kept(request) or Entry.begun(request)
    if not is_sent or request.POST.get("act") == "refresh":
        return _show(request, entry)
    try:
        return _go(request, cart, entry)
    except TotalChanged as problem:
        entry.title = "The total has changed"
        entry.faults = [{"field": "", "text": f"{problem.detail} Look it over, then pay."}]
        voucher = problem.quote.voucher
        if voucher and not voucher.is_accepted:
            entry.faults.append({"field": "", "text": f"{voucher.code}: {voucher.reason}"})
        return _show(request, entry, status=409)
    except Problem as problem:
        if problem.status not in {409, 422, 429, 503}:
            raise
        _explain(entry, problem)
        if isinstance(problem, OutOfStock):
            entry.faults = _gone(request, problem)
        return _show(request, entry, status=problem.status)


@require_POST
@never_cache
def requote(request: HttpRequest) -> HttpResponse:
    """The methods and sums for what is typed so far: the parts of the page that htmx swaps."""
    if _has_lapsed(request):
        return _to_sign_in(request)
    entry = Entry.read(request.POST)
    return render(request, "elysium/parts/requoted.html", _context(request, entry))


def _nothing_to_pay(request: HttpRequest, cart: Cart | None) -> HttpResponse:
    """The bag is empty. Whoever has just sent the form is led to what was bought of it meanwhile,
    or told why there is nothing; what they typed waits."""
    if request.method != "POST":
        return HttpResponseRedirect(BAG, status=303)
    bought = bought_lately(cart) if cart else None
    if bought:
        messages.info(request, "This bag is paid already. Here is its order.")
        return HttpResponseRedirect(order_link(bought).removeprefix(settings.SITE_URL), status=303)
    _keep_typed(request)
    return HttpResponseRedirect(f"{BAG}?why={'emptied' if cart else 'forgotten'}", status=303)


def _show_again(request: HttpRequest) -> HttpResponse:
    """The form came without the cookies of its page: it is shown as it was typed, and nothing is
    ordered."""
    if _has_lapsed(request):
        return _to_sign_in(request)
    cart = bags.cart_here(request)
    if cart is None or not quote_of(request).lines:
        return _nothing_to_pay(request, cart)
    entry = Entry.read(request.POST)
    entry.title = "Nothing is ordered yet"
    told = "This page had been open for too long. All that you typed is here: pay once more."
    entry.faults = [{"field": "", "text": told}]
    return _show(request, entry, status=403)


shows_again(checkout, _show_again)


def _has_lapsed(request: HttpRequest) -> bool:
    """Whether a member sent the form, whose session has ended since they saw it."""
    return bool(request.POST.get("member")) and not request.user.is_authenticated


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Ask the member to sign in again, where their bag is; what they typed waits meanwhile."""
    _keep_typed(request)
    return to_login(request, "/elysium/checkout")


def _keep_typed(request: HttpRequest) -> None:
    request.session[_TYPED] = {
        name: text[:_LONGEST]
        for name, text in request.POST.items()
        if name.startswith(("shipping-", "billing-"))
        or name in {"email", "method", "note", "key", "saved", "same", "keep", "member"}
    }


def _kept(request: HttpRequest) -> Entry | None:
    """What the same person had typed when their session or bag was gone; told once, to nobody
    else."""
    sent = request.session.pop(_TYPED, None)
    if sent is None or sent.get("member", "") != str(request.user.pk or ""):
        return None
    return Entry.read(sent)


def _go(request: HttpRequest, cart: Cart, entry: Entry) -> HttpResponse:
    if entry.email and not isinstance(request.user, User):
        count("checkout", entry.email)
    else:
        count_by_address("checkout")
    seen = request.POST.get("seen_total", "")
    started = check_out(
        cart=cart,
        customer=request.user if isinstance(request.user, User) else None,
        email=entry.email,
        shipping_address=entry.shipping.typed(),
        billing_address=None if entry.is_same else entry.billing.typed(),
        method_code=entry.method,
        note=entry.note,
        seen_total=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else None,
        seen_currency=request.POST.get("seen_currency", ""),
        key=_try(request, cart, entry),
        keeps_address=entry.keeps,
    )
    return HttpResponseRedirect(started.url.removeprefix(settings.SITE_URL), status=303)


def _try(request: HttpRequest, cart: Cart, entry: Entry) -> str:
    """What names this try: the same form sent again for the same bag. A page that the back button
    shows has the key of the order before, and what is typed there anew counts."""
    typed = sorted((k, v) for k, v in request.POST.items() if k != "csrfmiddlewaretoken")
    return digest(json.dumps([entry.key, typed, cart.updated_at.isoformat()]))


def _explain(entry: Entry, problem: Problem) -> None:
    """Put what is wrong beside its field, and all of it on top."""
    entry.title = problem.title
    shipping = [each for each in problem.errors if each.path.startswith("shippingAddress.")]
    billing = [each for each in problem.errors if each.path.startswith("billingAddress.")]
    if shipping:
        entry.shipping.show(shipping)
    if billing:
        entry.billing.show(billing)
    entry.faults = [_fault(each) for each in problem.errors] or [
        {"field": "", "text": problem.detail}
    ]
    if shipping or billing:
        entry.title = "A few things are missing"
    # What failed once begins anew: a key answers with the order that it placed.
    entry.key = str(new_id())


def _gone(request: HttpRequest, problem: OutOfStock) -> list[dict[str, str]]:
    """Which pieces there are not, by their names."""
    names = {str(line.item.variant_id): line.item.name for line in quote_of(request).lines}
    told = [f"{names.get(each.path, 'A piece')}: {each.message}" for each in problem.errors]
    what = "Nothing is ordered yet. Change your bag, then pay; what you typed stays here."
    return [{"field": "", "text": text} for text in [*told, what]]


def _fault(error: FieldError) -> dict[str, str]:
    where, _, name = error.path.partition(".")
    name = {"postalCode": "postal_code"}.get(name, name)
    places = {"shippingAddress": f"id_shipping-{name}", "billingAddress": f"id_billing-{name}"}
    others = {"email": "id_email", "shippingMethod": "step-delivery", "note": "id_note"}
    return {"field": places.get(where) or others.get(where, ""), "text": error.message}


def _show(request: HttpRequest, entry: Entry, *, status: int = 200) -> HttpResponse:
    return render(request, _PAGE, _context(request, entry), status=status)


def _context(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    asked = {"email": entry.email, "country": entry.country}
    found = quote_of(request, **asked, method_code=entry.method)
    if found.shipping is None and found.shipping_options:
        first = found.shipping_options[0].method.code
        found = quote_of(request, **asked, method_code=first)
    chosen = found.shipping_option.method.code if found.shipping_option else ""
    own = _addresses(request)
    return {
        "entry": entry,
        "shipping": entry.shipping,
        "billing": entry.billing,
        "email_fault": next((f["text"] for f in entry.faults if f["field"] == "id_email"), ""),
        "faults": entry.faults,
        "faults_title": entry.title,
        "lines": lines_shown(found),
        "sums": sums_shown(found),
        "quote": found,
        "seen_total": found.total.amount,
        "methods": [
            {
                "code": each.method.code,
                "name": each.method.name,
                "description": each.method.description,
                "days": f"{each.method.days_min} to {each.method.days_max} days",
                "price": str(each.price) if each.price.amount else "Free",
                "is_chosen": each.method.code == chosen,
            }
            for each in found.shipping_options
        ],
        "saved": [
            {"id": str(each.pk), "text": one_line(each), "is_chosen": str(each.pk) == entry.saved}
            for each in own
        ],
    }


def _addresses(request: HttpRequest) -> Sequence[Address]:
    """The shipping addresses of who asks, the default first."""
    if not isinstance(request.user, User):
        return []
    own = Address.objects.filter(user=request.user, kind=Address.Kind.SHIPPING)
    return list(own.order_by("-is_default", "-pk"))
