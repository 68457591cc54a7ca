from __future__ import annotations

from django.db import models


class Setting(models.Model):
    """One setting that differs from its default."""

    name = models.CharField(max_length=48, primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField()
    changed_by = models.UUIDField(null=True)
