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
                fields=["user", "status", "-is_favorite", "-id"], name="imaging_favorites_by_status"
            ),
            models.Index(fields=["provider", "-id"], name="imaging_by_provider"),
            models.Index(
                fields=["-id"], condition=models.Q(status="failed"), name="imaging_failed"
            ),
            models.Index(
                fields=["status", "created_at"],
                condition=models.Q(status__in=["pending", "processing"]),
                name="imaging_open",
            ),
        )


class CallOutcome(models.TextChoices):
    """What became of a call to a provider. ``started`` may have died on its way; ``working``
    goes on at the provider's."""

    STARTED = "started"
    WORKING = "working"
    MADE = "made"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    UNUSABLE = "unusable"
    REJECTED = "rejected"
    EXHAUSTED = "exhausted"
    MISCONFIGURED = "misconfigured"
    LOST = "lost"


class ProviderCall(models.Model):
    """One try of a generation at one provider. ``cost_micros`` is in micro-USD (a millionth of a
    dollar), null while the price is not known; ``reference`` is the provider's id of work that
    goes on after the call."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    generation = models.ForeignKey(
        Generation, models.SET_NULL, related_name="calls", null=True, db_index=False
    )
    provider = models.CharField(max_length=16)
    model = models.CharField(max_length=100, blank=True)
    reference = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=13, choices=CallOutcome, default=CallOutcome.STARTED)
    error = models.CharField(max_length=255, blank=True)
    looks = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    webhook_at = models.DateTimeField(null=True)
    ms = models.PositiveIntegerField(null=True)
    cost_micros = models.BigIntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["generation", "id"], name="imaging_calls"),
            models.Index(fields=["provider", "-started_at"], name="imaging_calls_recent"),
            models.Index(fields=["started_at"], name="imaging_calls_by_day"),
            models.Index(
                fields=["reference"],
                condition=~models.Q(reference=""),
                name="imaging_calls_reference",
            ),
        )
