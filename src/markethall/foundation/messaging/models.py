from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.kernel import clock
from markethall.kernel.ids import new_id


class MailStatus(models.TextChoices):
    """``queued`` and ``sending`` are ours, ``sent`` means taken by the carrier; what follows is
    what the carrier told. ``suppressed`` was not sent because its address is on the list."""

    QUEUED = "queued"
    SENDING = "sending"
    SUPPRESSED = "suppressed"
    FAILED = "failed"
    SENT = "sent"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Mail(models.Model):
    """One mail to one person, as it was or will be sent.

    ``reference`` is what it is about, such as an order. ``secrets`` are the parts of its body that
    only its reader may know, such as a link that signs somebody in. ``withheld`` tells that
    they were cut out of the body, once nobody here needs them. ``fleeting`` mails keep neither
    address nor body once they are sent. ``round`` counts how often it was sent on purpose,
    ``attempts`` the tries of the present round. ``due_at`` is when the next try is due, or, while
    it is being sent, when its sender counts as dead.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    to = models.EmailField()
    user_id = models.UUIDField(null=True, db_index=True)
    template = models.CharField(max_length=64)
    reference = models.UUIDField(null=True)
    brand = models.CharField(max_length=16, default="hall")
    sender = models.CharField(max_length=80, blank=True)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField()
    attachments = models.JSONField(default=list)
    secrets = models.JSONField(default=list)
    withheld = models.BooleanField(default=False)
    fleeting = models.BooleanField(default=False)
    unsubscribe_url = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=MailStatus, default=MailStatus.QUEUED)
    round = models.PositiveSmallIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    carrier = models.CharField(max_length=16, blank=True)
    message_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["to", "-id"], name="mail_to"),
            models.Index(fields=["status", "-id"], name="mail_status"),
            models.Index(fields=["template", "-id"], name="mail_template"),
            models.Index(
                fields=["due_at"], condition=Q(status__in=["queued", "sending"]), name="mail_due"
            ),
            models.Index(
                fields=["reference", "template"],
                condition=Q(reference__isnull=False),
                name="mail_about",
            ),
            models.Index(fields=["message_id"], condition=~Q(message_id=""), name="mail_known_as"),
        )


class SuppressionReason(models.TextChoices):
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


class Suppression(models.Model):
    """An address that is not written to any more, in lower case, and why."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    address = models.EmailField(unique=True)
    reason = models.CharField(max_length=12, choices=SuppressionReason)
    detail = models.CharField(max_length=300, blank=True)
    carrier = models.CharField(max_length=16, blank=True)
    mail_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
