"""Bespoke leads: who wishes for what, and what was written to and fro."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import bespoke
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.accounts.queries import emails_of
from markethall.foundation.files.links import signed_link
from markethall.foundation.files.models import StoredFile
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    show,
    show_list,
)
from markethall.kernel.errors import Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.leads.models import LeadStatus
from markethall.trade.leads.queries import lead_by_id, leads

_COLUMNS = [
    {"label": "Number"},
    {"label": "From"},
    {"label": "Wish"},
    {"label": "Status"},
    {"label": "Budget", "num": True},
    {"label": "Looked after by"},
    {"label": "Came", "num": True},
]


class LeadFilters(Filters):
    q = forms.CharField(label="Number, or start of the name or e-mail", max_length=254)
    status = forms.ChoiceField(choices=choices(LeadStatus.values, "Any status"))
    turn = forms.ChoiceField(
        label="Waits for", choices=[("", "Anybody"), ("us", "us"), ("me", "what I look after")]
    )


@require_safe
@staff(Permission.LEADS_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = LeadFilters(request.GET)
    chosen = filters.chosen()
    found = leads(
        q=chosen["q"],
        status=chosen["status"],
        waiting=chosen["turn"] == "us",
        assignee_id=request.user.pk if chosen["turn"] == "me" else None,
    )
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Bespoke",
        "columns": _COLUMNS,
        "live": "leads",
        "empty_title": "Nobody has wished for a piece yet",
        "empty_text": "What is sent by the bespoke form of a storefront stands here.",
        "empty_icon": "sparkles",
    }
    return show_list(request, "console/leads.html", page, context, filters=filters)


@require_safe
@staff(Permission.LEADS_READ)
def detail(request: StaffRequest, lead_id: uuid.UUID) -> HttpResponse:
    return _show(request, lead_id)


@require_POST
@staff(Permission.LEADS_WRITE)
def reply(request: StaffRequest, lead_id: uuid.UUID) -> HttpResponse:
    is_note = request.POST.get("as") == "note"
    lead = bespoke.reply(
        lead_id=lead_id,
        body=request.POST.get("body", ""),
        actor_id=request.user.pk,
        is_internal=is_note,
    )
    text = "The note is kept." if is_note else f"Your answer goes to {lead.email}."
    return _done(request, lead_id, text)


@require_POST
@staff(Permission.LEADS_WRITE)
def change(request: StaffRequest, lead_id: uuid.UUID) -> HttpResponse:
    status = request.POST.get("status", "")
    if status and status not in LeadStatus.values:
        raise Invalid.field("status", "Choose one of the states.")
    bespoke.change(
        lead_id=lead_id,
        actor_id=request.user.pk,
        status=status,
        assignee_id=_person(request.POST.get("assignee", "")),
    )
    return _done(request, lead_id, "Saved.")


def _person(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise Invalid.field("assignee", "Choose somebody of the list.") from error


def _done(request: StaffRequest, lead_id: uuid.UUID, text: str) -> HttpResponse:
    return done(
        request, text, to=f"/console/leads/{lead_id}", again=lambda: _show(request, lead_id)
    )


def _show(request: StaffRequest, lead_id: uuid.UUID) -> HttpResponse:
    lead = lead_by_id(lead_id)
    messages = list(lead.messages.order_by("pk"))
    files = StoredFile.objects.filter(
        pk__in=lead.pictures.order_by("added_at").values("file_id")
    ).order_by("pk")
    context: dict[str, Any] = {
        "title": lead.number,
        "lead": lead,
        "messages_of_lead": messages,
        "names": emails_of([message.author_id for message in messages]),
        "pictures": [signed_link(file.pk) for file in files],
        "statuses": LeadStatus.values,
        "people": bespoke.staff_for_leads(),
    }
    return show(request, "console/lead.html", context)
