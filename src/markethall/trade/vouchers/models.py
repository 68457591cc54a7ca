from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from markethall.kernel.ids import new_id


class VoucherKind(models.TextChoices):
    PERCENTAGE = "percentage"
    AMOUNT = "amount"
    FREE_SHIPPING = "free_shipping"


class Voucher(models.Model):
    """What a code takes off. ``basis_points`` of a percentage, ten-thousandths; ``amount`` and
    ``minimum`` (of the goods) are minor units of ``currency``. ``used`` counts uses that stand."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    code = models.CharField(max_length=32)
    kind = models.CharField(max_length=13, choices=VoucherKind)
    basis_points = models.PositiveIntegerField(null=True)
    amount = models.BigIntegerField(null=True)
    minimum = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    max_uses = models.PositiveIntegerField(null=True)
    max_uses_each = models.PositiveIntegerField(null=True)
    used = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "code"], name="vouchers_code"),
            models.CheckConstraint(
                name="vouchers_worth",
                condition=Q(kind="percentage", basis_points__gt=0, basis_points__lte=10_000)
                | (Q(kind="amount", amount__gt=0) & ~Q(currency=""))
                | Q(kind="free_shipping"),
            ),
            models.CheckConstraint(
                name="vouchers_minimum_of_a_currency",
                condition=Q(minimum=0) | (Q(minimum__gt=0) & ~Q(currency="")),
            ),
            models.CheckConstraint(
                name="vouchers_never_overspent",
                condition=Q(max_uses__isnull=True) | Q(used__lte=F("max_uses")),
            ),
        )


class VoucherUse(models.Model):
    """One order that a code was used for, by whom: a customer's id, and a guest's address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="uses")
    reference = models.UUIDField(unique=True)
    customer_id = models.UUIDField(null=True)
    email = models.EmailField()
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["voucher", "email"], name="vouchers_by_email"),
            models.Index(fields=["voucher", "customer_id"], name="vouchers_by_customer"),
        )
