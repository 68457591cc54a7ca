from __future__ import annotations

import uuid
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from markethall.foundation.audit.models import AuditEntry
from markethall.kernel import clock

KEEP_ADDRESSES = timedelta(days=90)

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


def drop_old_addresses() -> int:
    """Drop network addresses older than ``KEEP_ADDRESSES``; returns how many."""
    return AuditEntry.objects.filter(
        at__lt=clock.now() - KEEP_ADDRESSES, ip_address__isnull=False
    ).update(ip_address=None)
