from __future__ import annotations

from django.db import models

from markethall.kernel.ids import new_id

# Purposes: what somebody sent us, what was made of it, and what goods look like.
UPLOAD = "upload"
RESULT = "result"
PRODUCT = "product"


class StoredFile(models.Model):
    """A file, with its owner, what it is for, and the storage it lies in."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner_id = models.UUIDField(null=True, db_index=True)
    purpose = models.CharField(max_length=16)
    storage = models.CharField(max_length=16)
    name = models.CharField(max_length=160, unique=True)
    content_type = models.CharField(max_length=64)
    size = models.BigIntegerField()
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    sha256 = models.CharField(max_length=64)
    has_preview = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["purpose", "created_at"], name="files_purpose"),)


class StorageRun(models.Model):
    """The last run of a sweep, a move or a backup: when, and what came of it."""

    kind = models.CharField(max_length=16, primary_key=True)
    at = models.DateTimeField()
    data = models.JSONField()
