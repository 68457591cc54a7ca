from __future__ import annotations

from django.db import models

from markethall.kernel.ids import new_id


class AuditEntry(models.Model):
    """One act: ``actor`` did ``action`` to ``subject``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=32, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict)
    ip_address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["actor_id", "-id"], name="audit_actor"),
            models.Index(fields=["subject_id", "-id"], name="audit_subject"),
            # Actions are searched by their beginning.
            models.Index(
                fields=["action", "-id"],
                name="audit_action",
                opclasses=["varchar_pattern_ops", "uuid_ops"],
            ),
        )
