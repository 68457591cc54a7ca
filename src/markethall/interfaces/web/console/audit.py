"""The audit log."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.accounts.queries import emails_of, user_by_email
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.audit.queries import entries
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import ROWS, DayFilters, cursor_of, show, show_list
from markethall.kernel.errors import NotFound
from markethall.kernel.pagination import paginate

_COLUMNS = [{"label": label} for label in ("Action", "By", "On", "Detail")]
_COLUMNS.append({"label": "When", "num": True})
# Where what an act was done to is shown.
_PLACES = {
    "user": "/console/users/{}",
    "order": "/console/orders/{}",
    "inbox_event": "/console/inbox/{}",
    "job": "/console/jobs/{}",
    "mail": "/console/mails/{}",
}
_SUMMARY = 90


class AuditFilters(DayFilters):
    action = forms.CharField(label="Action begins with", max_length=64)
    actor = forms.CharField(label="By (e-mail or id)", max_length=254)
    subject = forms.CharField(label="On (e-mail or id)", max_length=254)

    field_order = ("action", "actor", "subject", "since", "until")


@require_safe
@staff(Permission.AUDIT_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = AuditFilters(request.GET)
    chosen = filters.chosen()
    found = entries(
        action=chosen["action"],
        actor_id=_person(chosen["actor"]),
        subject_id=_subject(chosen["subject"]),
        **filters.span(),
    )
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    names = emails_of([*(row.actor_id for row in page.items), *map(_subject_id, page.items)])
    for row in page.items:
        row.subject_uuid = _subject_id(row)  # type: ignore[attr-defined]
        row.summary = summary(row.data)  # type: ignore[attr-defined]
    context = {
        "title": "Audit log",
        "columns": _COLUMNS,
        "names": names,
        "empty_title": "Nothing has been done yet",
        "empty_text": "Sign-ins and every act of staff are written here, and stay.",
        "empty_icon": "history",
    }
    return show_list(request, "console/audit_list.html", page, context, filters=filters)


@require_safe
@staff(Permission.AUDIT_READ)
def entry(request: StaffRequest, entry_id: uuid.UUID) -> HttpResponse:
    row = AuditEntry.objects.filter(pk=entry_id).first()
    if row is None:
        raise NotFound("There is no such entry.")
    names = emails_of([row.actor_id, _subject_id(row)])
    place = _PLACES.get(row.subject_type)
    context = {
        "title": row.action,
        "entry": row,
        "actor": names.get(row.actor_id) if row.actor_id else None,
        "subject": names.get(subject) if (subject := _subject_id(row)) else None,
        "subject_url": place.format(row.subject_id) if place else None,
    }
    return show(request, "console/audit_entry.html", context)


def summary(data: dict[str, Any]) -> str:
    """The data of an act in one line."""
    said = ", ".join(f"{name} {value}" for name, value in data.items() if value not in (None, ""))
    return said if len(said) <= _SUMMARY else f"{said[: _SUMMARY - 1]}…"


def _person(text: str) -> uuid.UUID | None:
    """The person of an address or id; an id that nobody has when there is no such person."""
    if not text:
        return None
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        found = user_by_email(text) if "@" in text else None
    return found.pk if found else uuid.UUID(int=0)


def _subject(text: str) -> str:
    return str(_person(text)) if "@" in text else text.strip()


def _subject_id(row: AuditEntry) -> uuid.UUID | None:
    if row.subject_type != "user":
        return None
    try:
        return uuid.UUID(row.subject_id)
    except ValueError:
        return None
