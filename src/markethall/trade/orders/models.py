from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.foundation.files.models import StoredFile
from markethall.foundation.payments.models import Payment, Refund
from markethall.kernel.ids import new_id
from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind


class OrderStatus(models.TextChoices):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    PAID = "PAID"
    FULFILLED = "FULFILLED"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class Order(models.Model):
    """What somebody buys, at the price of that moment. Amounts in minor units of ``currency``.

    ``items_total`` is the sum of the lines; ``discount`` comes off it, ``shipping`` and
    ``tax_added`` on top. ``tax`` is all tax, what prices contain of it included; ``taxes`` states
    it by rate: ``{"name", "basisPoints", "isInclusive", "net", "tax"}``. Addresses are as they
    were given, with the fields of an address book's. A guest's order has no customer; one whose
    buyer was erased says where it went, and not to whom. ``payment`` is the one that paid it;
    ``refunded`` is what has come back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    customer_id = models.UUIDField(null=True)
    email = models.EmailField()
    storefront = models.CharField(max_length=16)
    status = models.CharField(max_length=14, choices=OrderStatus, default=OrderStatus.PENDING)
    currency = models.CharField(max_length=3)
    items_total = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    shipping = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    tax_added = models.BigIntegerField(default=0)
    taxes = models.JSONField(default=list)
    total = models.BigIntegerField()
    refunded = models.BigIntegerField(default=0)
    voucher = models.CharField(max_length=32, blank=True)
    shipping_method = models.CharField(max_length=80, blank=True)
    shipping_address = models.JSONField(null=True)
    billing_address = models.JSONField(null=True)
    customer_note = models.CharField(max_length=500, blank=True)
    payment = models.OneToOneField(Payment, models.PROTECT, related_name="+", null=True)
    receipt = models.OneToOneField(StoredFile, models.SET_NULL, related_name="+", null=True)
    idempotency_key = models.CharField(max_length=255, null=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer_id", "idempotency_key"], name="orders_once_per_key"
            ),
            models.CheckConstraint(
                name="orders_refunded_at_most_total",
                condition=Q(refunded__gte=0) & Q(refunded__lte=models.F("total")),
            ),
            models.CheckConstraint(
                name="orders_adds_up",
                condition=Q(
                    total=models.F("items_total")
                    - models.F("discount")
                    + models.F("shipping")
                    + models.F("tax_added")
                ),
            ),
        )
        indexes = (
            models.Index(fields=["customer_id", "-id"], name="orders_customer"),
            models.Index(fields=["status", "-id"], name="orders_status"),
            models.Index(fields=["storefront", "-id"], name="orders_storefront"),
            models.Index(
                fields=["paid_at"], condition=Q(paid_at__isnull=False), name="orders_paid_at"
            ),
            models.Index(fields=["storefront", "status", "-id"], name="orders_storefront_status"),
            models.Index(
                fields=["email"], opclasses=["varchar_pattern_ops"], name="orders_email_start"
            ),
        )

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    @property
    def refunded_money(self) -> Money:
        return Money(self.refunded, self.currency)

    @property
    def status_label(self) -> str:
        """The state for people: ``Payment failed``."""
        return self.status.replace("_", " ").capitalize()


class OrderLine(models.Model):
    """One item of an order. ``total`` is before ``discount``; ``tax`` is of what is left then,
    at ``tax_basis_points``, of which ``tax_added`` comes on top. ``data`` is what its kind needs
    to be fulfilled, and shown."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=12, choices=LineKind)
    item = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    unit_amount = models.BigIntegerField()
    total = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    tax_added = models.BigIntegerField(default=0)
    tax_basis_points = models.PositiveIntegerField(default=0)
    data = models.JSONField(default=dict)

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.order.currency)

    class Meta:
        constraints = (models.CheckConstraint(name="orders_quantity", condition=Q(quantity__gt=0)),)


class OrderMove(models.Model):
    """One step of an order's timeline."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="moves")
    from_status = models.CharField(max_length=14, blank=True)
    to_status = models.CharField(max_length=14)
    actor_id = models.UUIDField(null=True)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()


class RefundLine(models.Model):
    """What a refund gives back of one line: pieces, and their exact share of what was paid, in
    minor units; ``restock`` of them go back to stock. Without a line it is of the shipping."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="+")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="refunded", null=True)
    quantity = models.PositiveIntegerField(default=0)
    restock = models.PositiveIntegerField(default=0)
    amount = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["refund", "line"], name="orders_refund_line_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="orders_refund_line_pieces",
                condition=Q(line__isnull=True, quantity=0) | Q(line__isnull=False, quantity__gt=0),
            ),
            models.CheckConstraint(
                name="orders_restock_at_most_refunded",
                condition=Q(restock__lte=models.F("quantity")),
            ),
            models.CheckConstraint(
                name="orders_refund_line_not_negative", condition=Q(amount__gte=0)
            ),
        )


class TakeBack(models.Model):
    """What one refund took back of one line, in the line's own units (credits, pieces).

    ``due`` is the refund's share of what was given, ``taken`` what could be had of it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="taken_back")
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="+")
    due = models.PositiveBigIntegerField()
    taken = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["line", "refund"], name="orders_taken_back_once"),
            models.CheckConstraint(
                name="orders_taken_at_most_due", condition=Q(taken__lte=models.F("due"))
            ),
        )
