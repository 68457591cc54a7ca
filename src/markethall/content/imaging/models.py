from __future__ import annotations

from django.conf import settings
from django.db import models

from markethall.foundation.files.models import StoredFile
from markethall.foundation.ledger.models import Hold
from markethall.kernel.ids import new_id


class Style(models.TextChoices):
    CUTE = "cute-fluffy", "Cute & fluffy"
    REALISTIC = "realistic-plush", "Realistic plush"
    CARTOON = "cartoon-style", "Cartoon"
    MINIMALIST = "minimalist", "Minimalist"


class Size(models.TextChoices):
    SMALL = "small", "Small"
    MEDIUM = "medium", "Medium"
    LARGE = "large", "Large"


class GenerationStatus(models.TextChoices):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class Generation(models.Model):
    """One picture asked for. ``processing_ms`` counts from the job's start to the stored file."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False
    )
    original = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    result = models.OneToOneField(StoredFile, models.PROTECT, related_name="+", null=True)
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="+")
    style = models.CharField(max_length=16, choices=Style)
    size = models.CharField(max_length=6, choices=Size)
    prompt = models.CharField(max_length=500, blank=True)
    status = models.CharField(
        max_length=10, choices=GenerationStatus, default=GenerationStatus.PENDING
    )
    is_favorite = models.BooleanField(default=False)
    provider = models.CharField(max_length=16)
    attempts = models.PositiveSmallIntegerField(default=0)
    processing_ms = models.PositiveIntegerField(null=True)
    error_message = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="imaging_completed_has_result",
                condition=~models.Q(status="completed") | models.Q(result__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=["user", "-id"], name="imaging_newest"),
            models.Index(fields=["user", "-is_favorite", "-id"], name="imaging_favorites"),
            models.Index(fields=["user", "status", "-id"], name="imaging_by_status"),
            models.Index(
                fields=["status", "created_at"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="imaging_open",
            ),
        )
