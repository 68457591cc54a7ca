"""The kernel's tables: answers kept for idempotency keys, counters of tries, failures of jobs."""

from __future__ import annotations

from django.db import models


class IdempotentAnswer(models.Model):
    """The first answer to a request that carried an ``Idempotency-Key``."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=160)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["scope", "key"], name="idempotency_scope_key"),
        )
        indexes = (models.Index(fields=["created_at"], name="idempotency_created"),)


class Tries(models.Model):
    """How often something was tried in a window of time."""

    id = models.BigAutoField(primary_key=True)
    bucket = models.CharField(max_length=200, unique=True)
    count = models.PositiveIntegerField()
    resets_at = models.DateTimeField(db_index=True)


class JobFailure(models.Model):
    """What the last failed try of a job said; ``job_id`` is the queue's."""

    job_id = models.BigIntegerField(primary_key=True)
    error = models.TextField()
    at = models.DateTimeField(db_index=True)
