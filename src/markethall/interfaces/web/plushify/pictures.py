"""The gallery, one picture, and what can be done with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from markethall.content.imaging.actions import set_favorite
from markethall.content.imaging.models import Generation, GenerationStatus
from markethall.content.imaging.queries import file_name, gallery, picture_of
from markethall.flows.generation import cancel_generation, delete_generation
from markethall.foundation.files.links import signed_link
from markethall.foundation.ledger.queries import balance_of
from markethall.interfaces.web.links import came_from, picture_link
from markethall.interfaces.web.members import member, members_only
from markethall.interfaces.web.plushify.cards import Card
from markethall.interfaces.web.plushify.styles import size_label
from markethall.interfaces.web.plushify.wish import Wish
from markethall.kernel.pagination import paginate

PAGE = 20
GALLERY = "/plushify/gallery"
_SORTS = [("newest", "Newest first"), ("oldest", "Oldest first"), ("favorites", "Favourites first")]
_STATES = [
    ("", "All states"),
    ("completed", "Ready"),
    ("processing", "Being made"),
    ("pending", "Waiting"),
    ("failed", "Did not work"),
]


@require_safe
@members_only
def index(request: HttpRequest) -> HttpResponse:
    """20 pictures; search, state and order stand in the address. htmx gets further ones alone."""
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "status", "sort")}
    status = asked["status"] if asked["status"] in GenerationStatus.values else ""
    sort = asked["sort"] if asked["sort"] in dict(_SORTS) else "newest"
    pictures, order = gallery(
        member(request).pk,
        search=asked["q"][:200],
        status=status,
        sort=sort,  # type: ignore[arg-type]
    )
    cursor = request.GET.get("cursor") or None
    page = paginate(pictures, order=order, limit=PAGE, cursor=cursor)
    more = {name: value for name, value in asked.items() if value} | {"cursor": page.next_cursor}
    context: dict[str, Any] = {
        "cards": [Card.of(picture) for picture in page.items],
        "next_url": f"{GALLERY}?{urlencode(more)}" if page.next_cursor else "",
        "q": asked["q"],
        "status": status,
        "sort": sort,
        "states": [{"value": value, "label": label} for value, label in _STATES],
        "sorts": [{"value": value, "label": label} for value, label in _SORTS],
        "filtered": bool(asked["q"] or status),
        "continued": bool(cursor),
    }
    fragment = cursor and request.headers.get("HX-Request")
    template = "plushify/parts/cards.html" if fragment else "plushify/gallery.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@members_only
def detail(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """One picture: its progress, then before and after."""
    return _with_balance(
        request, render(request, "plushify/picture.html", _scene(request, generation_id))
    )


@require_safe
@members_only
def view(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """The part of the detail page that changes while the picture is made."""
    page = render(request, "plushify/parts/picture.html", _scene(request, generation_id))
    return _with_balance(request, page)


@require_safe
@members_only
def status(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """The card of one picture, for the gallery."""
    card = Card.of(picture_of(member(request).pk, generation_id))
    page = render(request, "components/generation_card.html", {"generation": card})
    return _with_balance(request, page)


@require_safe
@members_only
def balance(request: HttpRequest) -> HttpResponse:
    """No content: the balance travels in a header, for the pill."""
    return _with_balance(request, HttpResponse(status=204))


@require_POST
@members_only(back=GALLERY)
def favorite(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """Turn the favourite mark over."""
    set_favorite(user_id=member(request).pk, generation_id=generation_id)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return HttpResponseRedirect(came_from(request, f"/plushify/generations/{generation_id}"))


@require_safe
@members_only(back=GALLERY)
def download(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """Lead to the file, under a name that says what it is."""
    picture = picture_of(member(request).pk, generation_id)
    link = signed_link(picture.result_id, download_as=file_name(picture))  # type: ignore[arg-type]
    return HttpResponseRedirect(link.removeprefix(settings.SITE_URL))


@require_POST
@members_only(back=GALLERY)
def delete(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """Delete a picture and its files."""
    delete_generation(user_id=member(request).pk, generation_id=generation_id)
    messages.success(request, "The picture is deleted.")
    if request.headers.get("HX-Request"):
        return _with_balance(request, HttpResponse())
    return HttpResponseRedirect(GALLERY)


@require_POST
@members_only(back=GALLERY)
def cancel(request: HttpRequest, generation_id: UUID) -> HttpResponse:
    """Give up a picture that still waits."""
    cancel_generation(user_id=member(request).pk, generation_id=generation_id)
    messages.success(request, "Cancelled. Your credit is back.")
    return HttpResponseRedirect(f"/plushify/generations/{generation_id}")


def _scene(request: HttpRequest, generation_id: UUID) -> dict[str, Any]:
    picture = picture_of(member(request).pk, generation_id)
    card = Card.of(picture)
    return {
        "card": card,
        "original": picture_link(picture.original_id),
        "size": size_label(picture.size),
        "shape": _shape(picture),
        "seconds": _seconds(picture),
        "same_photo_url": Wish(photo=picture.original_id).url(),
        "by_htmx": bool(request.headers.get("HX-Request")),
    }


def _shape(picture: Generation) -> str:
    """How the slider is cut: as the result is."""
    result = picture.result
    tall = bool(result and result.height and result.width and result.height > result.width * 1.1)
    return "portrait" if tall else ""


def _seconds(picture: Generation) -> str:
    return "" if picture.processing_ms is None else f"{picture.processing_ms / 1000:.1f}"


def _with_balance(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Put the pill right, when htmx asked."""
    if request.headers.get("HX-Request"):
        now = balance_of(member(request).pk)
        trigger_client_event(response, "balance", {"balance": now.balance, "held": now.held})
    return response
