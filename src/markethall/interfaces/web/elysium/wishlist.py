"""Wishes: one's own list, a list that somebody shares, and what one looked at lately."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from markethall.foundation.accounts.limits import count_by_address
from markethall.foundation.accounts.models import User
from markethall.insight.analytics import actions as glances
from markethall.insight.analytics.queries import recently_viewed
from markethall.insight.analytics.rules import viewer_of
from markethall.interfaces.web.elysium.account import tabs
from markethall.interfaces.web.elysium.cards import CardShown, cards_shown
from markethall.interfaces.web.elysium.configurator import PREFIX, wanted_of
from markethall.interfaces.web.elysium.frame import STOREFRONT, currency_of
from markethall.interfaces.web.elysium.offers import address_of
from markethall.interfaces.web.elysium.prices import written
from markethall.interfaces.web.members import member, members_only, to_login
from markethall.interfaces.web.visitors import ensure_visitor, visitor_of
from markethall.trade.catalog.models import Product
from markethall.trade.catalog.queries import product_shown
from markethall.trade.wishlist import actions
from markethall.trade.wishlist.models import WishlistItem
from markethall.trade.wishlist.queries import (
    Wished,
    is_wished,
    items_of,
    link_of,
    name_shown,
    owner_of,
    wished,
)

LIST = "/elysium/wishlist"
_RECENT = 6  # pieces


@dataclass(frozen=True, slots=True)
class WishShown:
    """A wish for people; ``chosen`` are the fields that put it into the bag."""

    id: UUID
    card: CardShown
    url: str
    price: str
    shown: list[tuple[str, str]]
    chosen: list[tuple[str, str]]
    can_be_bought: bool


@require_safe
@members_only
def wishlist(request: HttpRequest) -> HttpResponse:
    """One's own list."""
    user = member(request)
    context = {
        "wishes": _shown(list(items_of(user, storefront=STOREFRONT)), currency_of(request)),
        "recent": recent(request),
        "shared_url": link_of(user),
        "tabs": tabs(LIST),
    }
    return render(request, "elysium/wishlist.html", context)


@require_safe
@never_cache
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """A list that its owner has shared."""
    owner = owner_of(token[:64].replace("\x00", ""))
    items = list(items_of(owner, storefront=STOREFRONT))
    context = {
        "wishes": _shown(items, currency_of(request)),
        "owner": name_shown(owner),
    }
    return render(request, "elysium/shared_wishlist.html", context)


@require_POST
def keep(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a piece as it is chosen, or let it go again. Of somebody who has not signed in, it is
    kept for when they do."""
    chosen = wanted_of(request.POST)
    here = address_of(slug, chosen)
    wish: dict[str, Any] = {
        "product_id": product_shown(STOREFRONT, slug).product.pk,
        "configuration": chosen,
        "currency": currency_of(request),
    }
    if not isinstance(request.user, User):
        count_by_address("wish")
        actions.want(visitor_digest=ensure_visitor(request), **wish)
        return to_login(request, here)
    is_kept_now = actions.turn(user=request.user, **wish)
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(here, status=303)
    messages.success(request, "On your wishlist." if is_kept_now else "No longer on your wishlist.")
    return trigger_client_event(HttpResponse(status=204), "kept", {"isKept": is_kept_now})


@require_POST
@members_only(back=LIST)
def remove(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Take a wish off the list."""
    actions.remove(user=member(request), item_id=item_id)
    return HttpResponseRedirect(LIST, status=303)


@require_POST
@members_only(back=LIST)
def share(request: HttpRequest) -> HttpResponse:
    """Give the list a link, or end it."""
    if request.POST.get("share") == "no":
        actions.unshare(member(request))
        messages.success(request, "The link leads nowhere now.")
    else:
        actions.share(member(request))
    return HttpResponseRedirect(LIST, status=303)


@require_POST
def seen(request: HttpRequest, slug: str) -> HttpResponse:
    """Somebody has looked at a piece: told by the page once it stands."""
    count_by_address("product_view")
    product = product_shown(STOREFRONT, slug).product
    user = request.user if isinstance(request.user, User) else None
    viewer = viewer_of(user.pk if user else None, None if user else ensure_visitor(request))
    if viewer:
        glances.look(viewer=viewer, product_id=product.pk)
    return HttpResponse(status=204)


def recent(request: HttpRequest, besides: Product | None = None) -> list[CardShown]:
    """What who asks looked at lately."""
    user = request.user if isinstance(request.user, User) else None
    viewer = viewer_of(user.pk if user else None, visitor_of(request))
    if not viewer:
        return []
    found = recently_viewed(viewer, storefront=STOREFRONT, limit=_RECENT + 1)
    others = [product for product in found if product != besides][:_RECENT]
    return cards_shown(others, currency_of(request))


def is_kept(request: HttpRequest, product: Product, mark: str) -> bool:
    """Whether a piece is on the list of who asks, just so."""
    if not isinstance(request.user, User):
        return False
    return is_wished(request.user, product, mark)


def _shown(items: list[WishlistItem], currency: str) -> list[WishShown]:
    products = {item.product_id: item.product for item in items}
    cards = {card.slug: card for card in cards_shown(products.values(), currency)}
    return [_wish(each, cards[each.item.product.slug]) for each in wished(items, currency)]


def _wish(each: Wished, card: CardShown) -> WishShown:
    chosen: dict[str, Any] = each.item.configuration
    return WishShown(
        id=each.item.pk,
        card=replace(card, picture=each.picture),
        url=address_of(card.slug, chosen),
        price=_price(each, card),
        shown=list(each.shown),
        chosen=[(f"{PREFIX}{code}", value) for code, value in chosen.items()],
        can_be_bought=each.can_be_bought and each.is_whole,
    )


def _price(wish: Wished, card: CardShown) -> str:
    if wish.price:
        return written(wish.price)
    return f"From {written(wish.outline.price) if wish.outline else card.price}"
