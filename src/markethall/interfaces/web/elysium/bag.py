"""The bag: a page, and a panel beside the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from markethall.flows.cart_entry import put_in
from markethall.flows.cart_vouchers import enter_code
from markethall.flows.quote import Buyer, Quote, QuotedLine, empty_quote, quote
from markethall.interfaces.web.elysium import bags
from markethall.interfaces.web.elysium.configurator import wanted_of
from markethall.interfaces.web.elysium.frame import STOREFRONT, currency_of
from markethall.interfaces.web.elysium.offers import address_of
from markethall.interfaces.web.elysium.pieces import incomplete
from markethall.interfaces.web.elysium.prices import written
from markethall.kernel.money import Money
from markethall.trade.cart import actions
from markethall.trade.cart.errors import CartLineMissing
from markethall.trade.cart.models import Cart
from markethall.trade.cart.rules import MAX_QUANTITY
from markethall.trade.catalog.errors import ConfigurationInvalid
from markethall.trade.catalog.models import ProductImage
from markethall.trade.vouchers.errors import VoucherRefused

BAG = "/elysium/bag"
# What somebody is told who was about to pay.
_WHY_EMPTY = {
    "emptied": "What was in this bag has been taken out in another window. Nothing is ordered.",
    "forgotten": "Your browser has forgotten this bag, as it does when its cookies are cleared. "
    "Nothing is ordered. Choose your pieces once more: what you typed is kept.",
}


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line for people. ``change_url`` is where it is chosen anew; ``changed`` says that its price
    did, ``trouble`` why it cannot be had."""

    id: UUID
    name: str
    url: str
    change_url: str
    picture: ProductImage | None
    shown: list[tuple[str, str]]
    quantity: int
    most: int
    unit: str
    total: str
    changed: str
    trouble: str


@require_safe
@never_cache
def bag(request: HttpRequest) -> HttpResponse:
    """What is in the bag, as a page or in the panel."""
    if request.headers.get("HX-Target") == "panel-body":
        return render(request, "elysium/parts/bag_panel.html", scene(request))
    return render(request, "elysium/bag.html", scene(request))


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put a piece, as it was chosen, into the bag."""
    slug, wanted = request.POST.get("product", ""), wanted_of(request.POST)
    try:
        put_in(
            owner=bags.ensure_owner(request),
            product=slug,
            configuration=wanted,
            storefront=STOREFRONT,
            currency=currency_of(request),
        )
    except ConfigurationInvalid as problem:
        return incomplete(request, slug, wanted, problem)
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(BAG, status=303)
    context = {**scene(request), "was_added": True}
    response = render(request, "elysium/parts/bag_panel.html", context)
    trigger_client_event(response, "openPanel", {}, after="swap")
    return _counted(response, context["quote"])


@require_POST
def choose_anew(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Have the pieces of a line made as they are chosen now."""
    cart, wanted = bags.cart_here(request), wanted_of(request.POST)
    if cart is None:
        raise CartLineMissing
    try:
        actions.choose_anew(cart=cart, line_id=line_id, configuration=wanted)
    except ConfigurationInvalid as problem:
        return incomplete(request, request.POST.get("product", ""), wanted, problem)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": BAG})
    return HttpResponseRedirect(BAG, status=303)


@require_POST
def change(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Have so many pieces of a line."""
    text = request.POST.get("quantity", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return _after(
        request,
        lambda cart: actions.set_quantity(
            cart=cart, line_id=line_id, quantity=min(number, MAX_QUANTITY)
        ),
    )


@require_POST
def remove(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Take a line out."""
    return _after(
        request, lambda cart: actions.set_quantity(cart=cart, line_id=line_id, quantity=0)
    )


@require_POST
def voucher(request: HttpRequest) -> HttpResponse:
    """Use a code, or none. Of one that cannot be used is said why, and the one before stays."""
    code = request.POST.get("code", "")[:32]
    try:
        return _after(request, lambda cart: _enter(request, cart, code))
    except VoucherRefused as refused:
        said = {"voucher": code, "voucher_fault": refused.detail}
        if request.headers.get("HX-Request"):
            return _shown(request, **said)
        return render(request, "elysium/bag.html", {**scene(request), **said}, status=409)


def scene(request: HttpRequest) -> dict[str, Any]:
    """What is in the bag at the prices of now."""
    found = quote_of(request)
    state = found.voucher
    return {
        "quote": found,
        "lines": lines_shown(found),
        "sums": sums_shown(found),
        "voucher": state.code if state else "",
        "voucher_fault": state.reason if state and not state.is_accepted else "",
        "is_stuck": not found.can_be_bought,
        "why_empty": _WHY_EMPTY.get(request.GET.get("why", ""), ""),
    }


def quote_of(request: HttpRequest, email: str = "", **choices: Any) -> Quote:
    """The quote of who asks, in the currency they look in; ``email`` is what a guest has typed."""
    cart = bags.cart_here(request)
    if cart is None:
        return empty_quote(STOREFRONT, currency_of(request))
    return quote(cart, buyer=_buyer(request, email), **choices)


def lines_shown(found: Quote) -> list[LineShown]:
    """The lines with their pictures; one statement for any number."""
    ids = [line.image_id for line in found.lines if line.image_id]
    pictures = {
        str(pk): image
        for pk, image in ProductImage.objects.select_related("file").in_bulk(ids).items()
    }
    return [_line(line, pictures) for line in found.lines]


def _line(line: QuotedLine, pictures: Mapping[str, ProductImage]) -> LineShown:
    changed = ""
    if line.changed_from is not None:
        changed = f"The price was {written(line.changed_from)}; it is {written(line.unit)} now."
    return LineShown(
        id=line.id,
        name=line.item.name,
        url=address_of(line.item.slug, line.configuration),
        change_url=address_of(line.item.slug, line.configuration, line=str(line.id))
        if line.configuration
        else "",
        picture=pictures.get(str(line.image_id)),
        shown=list(line.shown),
        quantity=line.quantity,
        most=MAX_QUANTITY if line.available is None else max(1, line.available),
        unit=written(line.unit),
        total=written(line.total),
        changed=changed,
        trouble=line.told,
    )


def sums_shown(found: Quote) -> dict[str, Any]:
    """The sums for people. Delivery is not known before its method is."""
    shipping = "Chosen at checkout"
    if found.shipping is not None:
        shipping = str(found.shipping) if found.shipping.amount else "Free"
    return {
        "items": str(found.items_total),
        "discount": str(found.discount) if found.discount.amount else "",
        "voucher": found.voucher.code if found.voucher else "",
        "shipping": shipping,
        "taxes": [_tax(each, found.currency) for each in found.taxes if each["tax"]],
        "total": str(found.total),
    }


def _tax(stated: Mapping[str, Any], currency: str) -> tuple[str, str]:
    rate = f"{stated['basisPoints'] / 100:g} %"
    amount = str(Money(stated["tax"], currency))
    if stated["isInclusive"]:
        return f"Including {stated['name']} {rate}", amount
    return f"{stated['name']} {rate}", amount


def _after(request: HttpRequest, act: Any) -> HttpResponse:
    """Change the bag, then show it where it was changed."""
    cart = bags.cart_here(request)
    if cart is not None:
        act(cart)
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(BAG, status=303)
    return _shown(request)


def _shown(request: HttpRequest, **said: str) -> HttpResponse:
    """The bag's part of the page that htmx asked from."""
    panel = request.headers.get("HX-Target") == "panel-body"
    context = {**scene(request), **said}
    part = "elysium/parts/bag_panel.html" if panel else "elysium/parts/bag_page.html"
    return _counted(render(request, part, context), context["quote"])


def _enter(request: HttpRequest, cart: Cart, code: str) -> None:
    if code.strip():
        enter_code(cart=cart, code=code, buyer=_buyer(request))
    else:
        actions.set_voucher(cart=cart, code="")


def _buyer(request: HttpRequest, email: str = "") -> Buyer | None:
    user = request.user
    if user.is_authenticated:
        return Buyer(customer_id=user.pk, email=user.email)
    return Buyer(email=email.strip().lower()) if email.strip() else None


def _counted(response: HttpResponse, found: Quote) -> HttpResponse:
    trigger_client_event(response, "bag", {"pieces": found.count})
    return response
