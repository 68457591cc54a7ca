from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Max, Q, QuerySet

from markethall.trade.leads.errors import LeadMissing
from markethall.trade.leads.models import Lead


def leads(
    *,
    status: str = "",
    storefront: str = "",
    assignee_id: uuid.UUID | None = None,
    q: str = "",
    waiting: bool = False,
) -> QuerySet[Lead]:
    """Leads that match every given filter; ``q`` is a number, or the start of a name or address."""
    found = Lead.objects.select_related("assignee")
    if status:
        found = found.filter(status=status)
    if storefront:
        found = found.filter(storefront=storefront)
    if assignee_id:
        found = found.filter(assignee_id=assignee_id)
    if waiting:
        found = found.filter(awaits_staff=True)
    if q := q.strip():
        found = found.filter(
            Q(number=q.upper()) | Q(name__istartswith=q) | Q(email__startswith=q.lower())
        )
    return found


def lead_by_id(lead_id: uuid.UUID) -> Lead:
    """One lead; raises LeadMissing."""
    lead = leads().filter(pk=lead_id).first()
    if lead is None:
        raise LeadMissing
    return lead


def last_message_at(lead: Lead) -> datetime:
    """When somebody last wrote to the other side; the wish itself is the first message."""
    written = lead.messages.filter(is_internal=False).aggregate(at=Max("at"))["at"]
    return written or lead.created_at
