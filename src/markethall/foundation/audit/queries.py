from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import QuerySet

from markethall.foundation.audit.models import AuditEntry
from markethall.kernel.pagination import made_between


def entries(
    *,
    action: str = "",
    actor_id: uuid.UUID | None = None,
    subject_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Audit entries that match every given filter; ``action`` by its beginning, ``until`` is
    excluded."""
    found = AuditEntry.objects.all()
    if action:
        found = found.filter(action__startswith=action)
    if actor_id:
        found = found.filter(actor_id=actor_id)
    if subject_id:
        found = found.filter(subject_id=subject_id)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    if since or until:
        found = found.filter(made_between(since, until))
    return found
