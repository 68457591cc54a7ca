"""The webhook inbox: what came, what became of it, and once more."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import mismatches
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.payments import inbox
from markethall.foundation.payments.models import InboxEvent, InboxStatus, Payment
from markethall.foundation.payments.queries import inbox_events
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
from markethall.kernel.errors import NotFound
from markethall.kernel.pagination import count_up_to, paginate

# So many are replayed at a press; the rest with the next one.
_BATCH = 200
# What a state means for whoever has to do something about it.
MEANINGS = {
    InboxStatus.RECEIVED: "It waits for its job. If it stays so, look whether a worker runs.",
    InboxStatus.SETTLED: "It has done what it had to do.",
    InboxStatus.IGNORED: "It changes nothing here; nothing is to be done.",
    InboxStatus.PARKED: (
        "It contradicts what is on record, so nothing was done. Compare it with the gateway's "
        "dashboard. Money of another amount is given back or accepted at its payment. Once any "
        "other cause is gone, replay it; if it is not ours, leave it."
    ),
    InboxStatus.DEAD: (
        "It failed too often. Mend the cause that the outcome names, then replay it: settling "
        "asks the gateway for the truth, so nothing is done twice."
    ),
}
_COLUMNS = [
    {"label": "Type"},
    {"label": "From"},
    {"label": "Status"},
    {"label": "Outcome"},
    {"label": "Tries", "num": True},
    {"label": "Deliveries", "num": True},
    {"label": "Received", "num": True},
]


class InboxFilters(Filters):
    type = forms.CharField(label="Type", max_length=100)
    status = forms.ChoiceField(choices=choices(InboxStatus.values, "Any status"))
    provider = forms.CharField(label="Provider", max_length=16)


@require_safe
@staff(Permission.WEBHOOKS_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = InboxFilters(request.GET)
    chosen = filters.chosen()
    found = inbox_events(**chosen).defer("payload")
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Webhook inbox",
        "columns": _COLUMNS,
        "live": "orders",
        "dead": count_up_to(inbox_events(status=InboxStatus.DEAD)),
        "meaning": MEANINGS.get(chosen["status"]),
        "empty_title": "No webhook has come yet",
        "empty_text": "Gateways tell here, signed, how payments and refunds ended.",
        "empty_icon": "inbox",
    }
    return show_list(request, "console/inbox.html", page, context, filters=filters)


@require_safe
@staff(Permission.WEBHOOKS_READ)
def detail(request: StaffRequest, event_id: uuid.UUID) -> HttpResponse:
    return _show(request, event_id)


@require_POST
@staff(Permission.WEBHOOKS_REPLAY)
def replay(request: StaffRequest, event_id: uuid.UUID) -> HttpResponse:
    event = inbox.replay(event_id, actor_id=request.user.pk)
    return done(
        request,
        f"{event.type} will be settled again.",
        to=f"/console/inbox/{event.pk}",
        again=lambda: _show(request, event_id),
    )


@require_POST
@staff(Permission.WEBHOOKS_REPLAY)
def replay_dead(request: StaffRequest) -> HttpResponse:
    dead = list(
        inbox_events(status=InboxStatus.DEAD).order_by("id").values_list("pk", flat=True)[:_BATCH]
    )
    for event_id in dead:
        inbox.replay(event_id, actor_id=request.user.pk)
    number = len(dead)
    text = f"{number} event{'' if number == 1 else 's'} will be settled again."
    return done(
        request,
        text if dead else "No event is dead.",
        to="/console/inbox",
        again=lambda: HttpResponse(status=204),
    )


def _show(request: StaffRequest, event_id: uuid.UUID) -> HttpResponse:
    event = InboxEvent.objects.filter(pk=event_id).first()
    if event is None:
        raise NotFound("There is no such event.")
    status = InboxStatus(event.status)
    context = {
        "title": event.type,
        "event": event,
        "meaning": MEANINGS[status],
        "tone": {"parked": "warning", "dead": "danger"}.get(status, "info"),
        "most": inbox.MAX_ATTEMPTS,
        "payment": _undecided(event),
    }
    return show(request, "console/inbox_event.html", context)


def _undecided(event: InboxEvent) -> Payment | None:
    """The payment at which a parked event waits for a decision."""
    if event.status != InboxStatus.PARKED:
        return None
    payment = mismatches.payment_of(event)
    return payment if payment and mismatches.evidence_of(payment).events else None
