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

    ``gateway_ref`` is what the gateway opened, ``charge_ref`` where it keeps the money, when that
    is another. ``refunded`` counts what is on its way back too; ``is_surplus`` marks money that
    came for something paid already, or no longer for sale, and goes back by itself.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.UUIDField(db_index=True)
    payer_id = models.UUIDField(null=True)
    gateway = models.CharField(max_length=16)
    gateway_ref = models.CharField(max_length=255, blank=True)
    charge_ref = models.CharField(max_length=255, blank=True)
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
        indexes = (
            models.Index(fields=["status", "created_at"], name="payments_open"),
            models.Index(fields=["status", "-id"], name="payments_by_status"),
            models.Index(fields=["gateway", "-id"], name="payments_by_gateway"),
            models.Index(fields=["currency", "-id"], name="payments_by_currency"),
            models.Index(fields=["payer_id", "-id"], name="payments_by_payer"),
            models.Index(
                fields=["gateway", "charge_ref"],
                condition=~Q(charge_ref=""),
                name="payments_charge_ref",
            ),
        )

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def money_ref(self) -> str:
        """The gateway's id of the money, which refunds and chargebacks name."""
        return self.charge_ref or self.gateway_ref


class RefundStatus(models.TextChoices):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundCause(models.TextChoices):
    """Who set it off: we, somebody at the gateway's own pages, or the payer's bank."""

    SHOP = "shop"
    GATEWAY = "gateway"
    CHARGEBACK = "chargeback"


class Refund(models.Model):
    """Money given back of one payment, or taken back by the payer's bank.

    ``key`` is the caller's: asking twice with one key refunds once. ``tries`` counts what failed
    and was asked for again. ``is_owed``: the money is the payer's, and nothing is taken back for
    it: it had gone and came back from the bank, or it never paid for anything.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    cause = models.CharField(max_length=10, choices=RefundCause, default=RefundCause.SHOP)
    tries = models.PositiveSmallIntegerField(default=0)
    is_owed = models.BooleanField(default=False)
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

    @property
    def gateway_key(self) -> str:
        """The idempotency key of this try at the gateway."""
        return f"{self.pk}-{self.tries}" if self.tries else str(self.pk)

    class Meta:
        constraints = (
            models.CheckConstraint(name="payments_refund_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(
                fields=["payment", "gateway_ref"],
                condition=~Q(gateway_ref=""),
                name="payments_refund_ref",
            ),
        )
        indexes = (
            models.Index(fields=["status", "created_at"], name="payments_refunds_open"),
            models.Index(fields=["status", "-id"], name="payments_refunds_by_status"),
            models.Index(
                fields=["settled_at"],
                condition=Q(status="succeeded"),
                name="payments_refunds_settled",
            ),
        )


class ChargebackStatus(models.TextChoices):
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class Chargeback(models.Model):
    """A payer's bank wants money of one payment back. ``reason`` is the bank's word.

    ``withdrawn``: the gateway has taken the money from us, for good once ``status`` is lost.
    ``refund`` is the record of what was lost.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="chargebacks")
    gateway_ref = models.CharField(max_length=255)
    status = models.CharField(max_length=14, choices=ChargebackStatus)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=100, blank=True)
    withdrawn = models.BooleanField(default=False)
    due_by = models.DateTimeField(null=True)
    refund = models.OneToOneField(Refund, models.PROTECT, null=True, related_name="chargeback")
    moves = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.payment.currency)

    class Meta:
        constraints = (
            models.CheckConstraint(name="payments_chargeback_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(
                fields=["payment", "gateway_ref"], name="payments_chargeback_once"
            ),
        )
        indexes = (models.Index(fields=["status", "due_by"], name="payments_chargebacks_open"),)


class GatewayCustomer(models.Model):
    """Somebody as a gateway knows them. ``id`` is the idempotency key at the gateway; ``ref`` is
    empty until it has answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    gateway = models.CharField(max_length=16)
    user_id = models.UUIDField()
    ref = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user_id", "gateway"], name="payments_customer_once"),
            models.UniqueConstraint(
                fields=["gateway", "ref"], condition=~Q(ref=""), name="payments_customer_ref"
            ),
        )


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
            models.Index(fields=["provider", "-id"], name="inbox_by_provider"),
            models.Index(fields=["type", "-id"], name="inbox_by_type"),
        )


class SandboxCustomer(models.Model):
    """The sandbox gateway's own record of somebody who pays."""

    id = models.CharField(max_length=40, primary_key=True)
    idempotency_key = models.CharField(max_length=64, unique=True)
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()


class SandboxCheckout(models.Model):
    """The sandbox gateway's own record of a payment: what a real gateway keeps on its side.

    ``status`` is open, declined, paid or abandoned; ``tries`` counts its changes. ``dispute`` is
    where a chargeback stands, empty when the payer's bank wants nothing back.
    """

    id = models.CharField(max_length=40, primary_key=True)
    idempotency_key = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(SandboxCustomer, models.SET_NULL, null=True, related_name="+")
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
    dispute = models.CharField(max_length=14, choices=ChargebackStatus, blank=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    disputed_at = models.DateTimeField(null=True)

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
