from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.kernel.ids import new_id
from markethall.kernel.money import Money


class PaymentStatus(models.TextChoices):
    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PaymentKind(models.TextChoices):
    """Who collects the card: the gateway's page, or a front end of our own."""

    CHECKOUT = "checkout"
    INTENT = "intent"


class Payment(models.Model):
    """One try to be paid. ``id`` is the idempotency key at the gateway.

    ``refunded`` counts what is on its way back too; ``is_surplus`` marks money that came for
    something paid already, or no longer for sale, and goes back by itself.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.UUIDField(db_index=True)
    payer_id = models.UUIDField(null=True, db_index=True)
    gateway = models.CharField(max_length=16)
    gateway_ref = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=8, choices=PaymentKind, default=PaymentKind.CHECKOUT)
    status = models.CharField(max_length=10, choices=PaymentStatus, default=PaymentStatus.CREATED)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    refunded = models.BigIntegerField(default=0)
    is_surplus = models.BooleanField(default=False)
    return_url = models.TextField(blank=True)
    checkout_url = models.TextField(blank=True)
    client_secret = models.CharField(max_length=255, blank=True)
    failure = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="payments_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="payments_refunded_at_most_paid",
                condition=Q(refunded__gte=0) & Q(refunded__lte=models.F("amount")),
            ),
            models.UniqueConstraint(
                fields=["gateway", "gateway_ref"],
                condition=~Q(gateway_ref=""),
                name="payments_gateway_ref",
            ),
        )
        indexes = (models.Index(fields=["status", "created_at"], name="payments_open"),)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class RefundStatus(models.TextChoices):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Refund(models.Model):
    """Money given back of one payment. ``id`` is the idempotency key at the gateway.

    ``key`` is the caller's: asking twice with one key refunds once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=300, null=True, unique=True)
    gateway_ref = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=RefundStatus, default=RefundStatus.REQUESTED)
    failure = models.CharField(max_length=255, blank=True)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.payment.currency)

    class Meta:
        constraints = (
            models.CheckConstraint(name="payments_refund_positive", condition=Q(amount__gt=0)),
        )
        indexes = (models.Index(fields=["status", "created_at"], name="payments_refunds_open"),)


class InboxStatus(models.TextChoices):
    RECEIVED = "received"
    SETTLED = "settled"
    IGNORED = "ignored"
    PARKED = "parked"
    DEAD = "dead"


class InboxEvent(models.Model):
    """A verified webhook. ``parked`` waits for a person; ``dead`` failed too often."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=16)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    payload = models.JSONField()
    status = models.CharField(max_length=8, choices=InboxStatus, default=InboxStatus.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    deliveries = models.PositiveIntegerField(default=1)
    outcome = models.TextField(blank=True)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "event_id"], name="inbox_once"),)
        indexes = (
            models.Index(fields=["due_at"], condition=Q(status="received"), name="inbox_waiting"),
            models.Index(fields=["status", "-id"], name="inbox_by_status"),
        )


class SandboxCheckout(models.Model):
    """The sandbox gateway's own record of a payment: what a real gateway keeps on its side.

    ``status`` is open, declined, paid or abandoned; ``tries`` counts its changes.
    """

    id = models.CharField(max_length=40, primary_key=True)
    idempotency_key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=255)
    metadata = models.JSONField(default=dict)
    return_url = models.TextField(blank=True)
    cancel_url = models.TextField(blank=True)
    status = models.CharField(max_length=10, default="open")
    payment_method = models.CharField(max_length=40, blank=True)
    tries = models.PositiveIntegerField(default=0)
    refunded = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class SandboxRefund(models.Model):
    """The sandbox gateway's own record of money it gave back."""

    id = models.CharField(max_length=40, primary_key=True)
    checkout = models.ForeignKey(SandboxCheckout, models.PROTECT, related_name="refunds")
    idempotency_key = models.CharField(max_length=64, unique=True)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField()
