from __future__ import annotations

from django.db import models

from markethall.kernel.ids import new_id


class MailStatus(models.TextChoices):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Mail(models.Model):
    """One mail to one person, as it was or will be sent.

    ``secrets`` are the parts of its body that only its reader may know, such as a link that signs
    somebody in. ``withheld`` tells that they were cut out of the body, once nobody here needs them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    to = models.EmailField()
    user_id = models.UUIDField(null=True, db_index=True)
    template = models.CharField(max_length=64)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField()
    attachments = models.JSONField(default=list)
    secrets = models.JSONField(default=list)
    withheld = models.BooleanField(default=False)
    status = models.CharField(max_length=6, choices=MailStatus, default=MailStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["to", "-id"], name="mail_to"),
            models.Index(fields=["status", "-id"], name="mail_status"),
        )
