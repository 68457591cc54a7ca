from __future__ import annotations

import uuid

from django.db.models import QuerySet

from markethall.foundation.audit.models import AuditEntry


def entries(
    *, action: str = "", actor_id: uuid.UUID | None = None, subject_id: str = ""
) -> QuerySet[AuditEntry]:
    """Audit entries that match every given filter; ``action`` by its beginning."""
    found = AuditEntry.objects.all()
    if action:
        found = found.filter(action__startswith=action)
    if actor_id:
        found = found.filter(actor_id=actor_id)
    if subject_id:
        found = found.filter(subject_id=subject_id)
    return found
