"""One piece and its configurator. The server prices; the page only asks again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from markethall.flows.reviews import may_review
from markethall.interfaces.web.elysium import bags, structured
from markethall.interfaces.web.elysium.cards import cards_shown
from markethall.interfaces.web.elysium.configurator import chosen_of, options_shown, wanted_of
from markethall.interfaces.web.elysium.frame import STOREFRONT, currency_of
from markethall.interfaces.web.elysium.offers import ASKED, LINE, address_of, offer_of
from markethall.interfaces.web.elysium.wishlist import is_kept, recent
from markethall.kernel.errors import Problem
from markethall.trade.catalog.queries import Detail, product_shown, products_shown
from markethall.trade.catalog.rules import pictures_of
from markethall.trade.shipping.queries import methods_priced_in

_ALSO, _REVIEWS = 3, 6


@require_safe
def piece(request: HttpRequest, slug: str) -> HttpResponse:
    """A piece as it is configured in the address. htmx takes the offer and the pictures of it."""
    detail = product_shown(STOREFRONT, slug)
    context = scene(request, detail)
    if not request.headers.get("HX-Request"):
        context |= _surroundings(request, detail)
    response = render(request, "elysium/piece.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
def configure(request: HttpRequest, slug: str) -> HttpResponse:
    """Without scripts: lead to the address that shows what was chosen."""
    line = request.POST.get(LINE, "")
    return HttpResponseRedirect(address_of(slug, wanted_of(request.POST), line=line), status=303)


def incomplete(
    request: HttpRequest, slug: str, wanted: Mapping[str, str], problem: Problem
) -> HttpResponse:
    """Somebody wanted to buy what cannot be made yet: say beside each option why, and go there."""
    here = address_of(slug, wanted, asked=True, line=request.POST.get(LINE, ""))
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(here, status=303)
    if request.headers.get("HX-Trigger") != "configurator":
        return HttpResponse(status=problem.status, headers={"HX-Redirect": here})
    detail = product_shown(STOREFRONT, slug)
    options = options_shown(detail.spec, wanted, currency_of(request), problem.errors)
    context = {"options": options, "path": f"/elysium/pieces/{slug}"}
    context |= {"is_asked": True, "asks_again": True}
    response = render(request, "elysium/parts/choices.html", context, status=problem.status)
    return reswap(retarget(response, "#choices"), "outerHTML")


def scene(request: HttpRequest, detail: Detail) -> dict[str, Any]:
    """What the page shows of a piece."""
    product, currency = detail.product, currency_of(request)
    chosen = chosen_of(detail.spec, request.GET)
    methods = methods_priced_in(STOREFRONT, currency)
    days = (methods[0].days_min, methods[0].days_max) if methods else None
    offer = offer_of(product.slug, detail.spec, detail.variants, chosen, currency, days)
    faults = offer.faults or (offer.missing if ASKED in request.GET else ())
    pictures = pictures_of(detail.images, chosen)
    path = f"/elysium/pieces/{product.slug}"
    line = bags.line_here(request, request.GET.get(LINE, ""))
    crumbs = _crumbs(detail)
    return {
        "product": product,
        "path": path,
        "options": options_shown(detail.spec, chosen, currency, faults),
        "is_asked": ASKED in request.GET,
        "offer": offer,
        "line": line if line and line.variant.product_id == product.pk else None,
        "save_url": f"{path}/keep",
        "is_saved": offer.mark is not None and is_kept(request, product, offer.mark),
        "pictures": pictures,
        "details": product.details,
        "methods": methods,
        "crumbs": crumbs,
        "crumbs_document": structured.crumbs(crumbs),
        "rating": _rating(detail),
        "reviews_count": product.rating_count,
        "document": structured.product(product, offer, pictures, path),
    }


def _rating(detail: Detail) -> float | None:
    product = detail.product
    return round(product.rating_sum / product.rating_count, 1) if product.rating_count else None


def _crumbs(detail: Detail) -> list[tuple[str, str]]:
    trail = [(step.name, f"/elysium/shop/{step.path}") for step in detail.trail]
    return [
        ("ELYSIUM", "/elysium"),
        *trail,
        (detail.product.name, f"/elysium/pieces/{detail.product.slug}"),
    ]


def _surroundings(request: HttpRequest, detail: Detail) -> dict[str, Any]:
    """What stands below: what those say who wear it, and more pieces of the same kind."""
    currency = currency_of(request)
    category = detail.trail[-1].path if detail.trail else None
    found = products_shown(storefront=STOREFRONT, currency=currency, category=category)
    others = found.exclude(pk=detail.product.pk).order_by("position", "-id")[:_ALSO]
    reviews = detail.product.reviews.filter(is_hidden=False).order_by("-id")[:_REVIEWS]
    user = request.user
    reviews_it = user.is_authenticated and may_review(product_id=detail.product.pk, user_id=user.pk)
    return {
        "also": cards_shown(others, currency),
        "reviews": reviews,
        "review_url": f"/elysium/pieces/{detail.product.slug}/review" if reviews_it else "",
        "recent": recent(request, detail.product),
    }
