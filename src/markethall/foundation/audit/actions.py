from __future__ import annotations

import uuid
from contextvars import ContextVar
from typing import Any

from markethall.foundation.audit.models import AuditEntry
from markethall.kernel import clock

# The network address of the request at work; the interfaces set it, jobs have none.
current_ip: ContextVar[str | None] = ContextVar("current_ip", default=None)


def record(
    action: str,
    *,
    actor_id: uuid.UUID | None,
    subject_type: str = "",
    subject_id: object = "",
    **data: Any,
) -> AuditEntry:
    """Write one act, in the transaction of the act itself. ``data`` holds no secrets."""
    return AuditEntry.objects.create(
        at=clock.now(),
        actor_id=actor_id,
        action=action,
        subject_type=subject_type,
        subject_id=str(subject_id),
        data=data,
        ip_address=current_ip.get(),
    )
