from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from markethall.foundation.audit.actions import record
from markethall.foundation.platform.models import Setting
from markethall.foundation.platform.queries import forget_kept, fresh_settings
from markethall.foundation.platform.rules import PlatformSettings
from markethall.kernel import clock


def change_settings(*, actor_id: uuid.UUID | None, **changes: Any) -> PlatformSettings:
    """Change the named settings; the others stay. Raises pydantic's ValidationError."""
    with transaction.atomic():
        before = fresh_settings()
        after = PlatformSettings(**{**before.model_dump(), **changes})
        for name in changes:
            old, new = getattr(before, name), getattr(after, name)
            if old == new:
                continue
            Setting.objects.update_or_create(
                name=name,
                defaults={"value": new, "changed_at": clock.now(), "changed_by": actor_id},
            )
            record(
                "settings.change",
                actor_id=actor_id,
                subject_type="setting",
                subject_id=name,
                before=old,
                after=new,
            )
        transaction.on_commit(forget_kept)
    return after
