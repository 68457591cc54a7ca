from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from markethall.kernel.ids import new_id
from markethall.trade.catalog.models import TaxCategory


class MethodKind(models.TextChoices):
    FLAT = "flat"
    WEIGHT = "weight"


class ShippingMethod(models.Model):
    """A way to send. ``countries`` are ISO 3166 codes; none means everywhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=6, choices=MethodKind, default=MethodKind.FLAT)
    countries = ArrayField(models.CharField(max_length=2), default=list)
    days_min = models.PositiveSmallIntegerField(default=1)
    days_max = models.PositiveSmallIntegerField(default=5)
    tax_category = models.CharField(max_length=8, choices=TaxCategory, default=TaxCategory.STANDARD)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["storefront", "code"], name="shipping_method_code"),
        )


class ShippingPrice(models.Model):
    """What a method costs in one currency: of a flat one a single row, of one by weight a row for
    each step, up to ``up_to_grams``. From ``free_from`` minor units of goods on it is free."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    method = models.ForeignKey(ShippingMethod, models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    up_to_grams = models.PositiveIntegerField(null=True)
    amount = models.BigIntegerField()
    free_from = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["method", "currency", "up_to_grams"],
                name="shipping_one_price",
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="shipping_not_negative", condition=Q(amount__gte=0)),
        )


class ShipmentStatus(models.TextChoices):
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


class Shipment(models.Model):
    """A parcel of an order, with what its carrier calls it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.UUIDField(db_index=True)
    status = models.CharField(max_length=9, choices=ShipmentStatus, default=ShipmentStatus.PACKED)
    carrier = models.CharField(max_length=80, blank=True)
    tracking_number = models.CharField(max_length=80, blank=True)
    tracking_url = models.URLField(max_length=500, blank=True)
    packed_at = models.DateTimeField()
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    actor_id = models.UUIDField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["reference"], condition=Q(status="packed"), name="shipping_to_send"
            ),
            models.Index(fields=["status", "-id"], name="shipping_by_status"),
        )


class ShipmentLine(models.Model):
    """How many pieces of an order's line lie in a parcel."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="lines")
    line_id = models.UUIDField()
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["shipment", "line_id"], name="shipping_line_once"),
            models.CheckConstraint(name="shipping_some", condition=Q(quantity__gt=0)),
        )
