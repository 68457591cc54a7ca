"""Addresses that are not written to any more, and letting one go again."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.messaging.models import SuppressionReason
from markethall.foundation.messaging.suppressions import lift, suppressions
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    show_list,
)
from markethall.kernel.pagination import paginate

_PATH = "/console/mails/suppressed"
_COLUMNS = [
    {"label": "Address"},
    {"label": "Why"},
    {"label": "What was said"},
    {"label": "Since", "num": True},
    {"label": "Write again"},
]


class SuppressionFilters(Filters):
    address = forms.CharField(label="Address (its start)", max_length=254)
    reason = forms.ChoiceField(choices=choices(SuppressionReason.values, "Any reason"))


@require_safe
@staff(Permission.MAIL_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = SuppressionFilters(request.GET)
    found = suppressions(**filters.chosen())
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Not written to",
        "columns": _COLUMNS,
        "empty_title": "Everybody is written to",
        "empty_text": "An address that bounces for good, complains or unsubscribes stands here.",
        "empty_icon": "mail",
    }
    return show_list(request, "console/suppressions.html", page, context, filters=filters)


@require_POST
@staff(Permission.MAIL_SEND)
def write_again(request: StaffRequest, suppression_id: uuid.UUID) -> HttpResponse:
    said = lift(suppression_id, actor_id=request.user.pk)
    return done(
        request,
        f"The address is written to again. {said}".strip(),
        to=_PATH,
        again=lambda: HttpResponse(status=204),
    )
