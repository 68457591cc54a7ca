"""Generations of everybody: what failed, how long it took."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django import forms
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from markethall.content.imaging.figures import generations, provider_figures
from markethall.content.imaging.models import GenerationStatus
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.files.links import signed_link
from markethall.foundation.files.queries import storage_figures
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    show,
    show_list,
)
from markethall.kernel import clock
from markethall.kernel.errors import NotFound
from markethall.kernel.pagination import paginate

_KEEP_FIGURES = 60  # seconds
_DAYS = 7
_COLUMNS = [
    {"label": "Style"},
    {"label": "Of"},
    {"label": "Status"},
    {"label": "Provider"},
    {"label": "Took", "num": True},
    {"label": "Tries", "num": True},
    {"label": "Asked for", "num": True},
]


class PictureFilters(Filters):
    status = forms.ChoiceField(choices=choices(["open", *GenerationStatus.values], "Any status"))
    provider = forms.CharField(label="Provider", max_length=16)


@require_safe
@staff(Permission.IMAGES_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = PictureFilters(request.GET)
    chosen = filters.chosen()
    page = paginate(generations(**chosen), order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Pictures",
        "columns": _COLUMNS,
        "empty_title": "Nobody has asked for a picture yet",
        "empty_text": "Each generation stands here with how long it took, and why it failed.",
        "empty_icon": "image",
    }
    return show_list(request, "console/pictures.html", page, context, filters=filters)


@require_safe
@staff(Permission.IMAGES_READ)
def figures(request: StaffRequest) -> HttpResponse:
    """By provider over a week, and what is stored; kept for a minute."""
    since = clock.now() - timedelta(days=_DAYS)
    found = cache.get_or_set(
        "console:pictures", lambda: (provider_figures(since), storage_figures()), _KEEP_FIGURES
    )
    context = {"providers": found[0], "storage": found[1], "days": _DAYS}
    return render(request, "console/picture_figures.html", context)


@require_safe
@staff(Permission.IMAGES_READ)
def detail(request: StaffRequest, generation_id: uuid.UUID) -> HttpResponse:
    row = generations().select_related("original", "result", "hold").filter(pk=generation_id)
    picture = row.first()
    if picture is None:
        raise NotFound("There is no such picture.")
    context = {
        "title": f"{picture.get_style_display()}, {picture.size}",
        "picture": picture,
        "original_url": signed_link(picture.original_id) if picture.original_id else None,
        "result_url": signed_link(picture.result_id) if picture.result_id else None,
    }
    return show(request, "console/picture.html", context)
