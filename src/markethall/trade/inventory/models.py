from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, Value, When

from markethall.kernel.ids import new_id
from markethall.trade.catalog.models import Variant


class StockItem(models.Model):
    """How many pieces of a variant there are (``on_hand``) and how many of them are kept for open
    checkouts (``reserved``). What is made to order is not counted. At ``low_at`` available pieces
    or fewer it is time to order; 0 never alerts. ``urgency`` is 2 when it is sold out, 1 when low,
    else 0."""

    variant = models.OneToOneField(Variant, models.PROTECT, primary_key=True, related_name="stock")
    is_counted = models.BooleanField(default=True)
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)
    low_at = models.PositiveIntegerField(default=0)
    low_since = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()
    urgency = models.GeneratedField(
        expression=Case(
            When(is_counted=True, on_hand__lte=F("reserved"), then=Value(2)),
            When(is_counted=True, low_since__isnull=False, then=Value(1)),
            default=Value(0),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="inventory_never_oversold",
                condition=Q(is_counted=False) | Q(on_hand__gte=F("reserved")),
            ),
            models.CheckConstraint(name="inventory_reserved", condition=Q(reserved__gte=0)),
        )
        indexes = (
            models.Index(
                fields=["low_since"],
                condition=Q(low_since__isnull=False),
                name="inventory_low",
            ),
            models.Index(fields=["-urgency", "variant"], name="inventory_urgent"),
        )

    @property
    def available(self) -> int:
        """Pieces that nobody has reserved; of no meaning for what is not counted."""
        return self.on_hand - self.reserved


class ReservationState(models.TextChoices):
    """Held for a checkout; then committed by its payment, or released."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


class Reservation(models.Model):
    """Pieces of one variant that are kept for one order until ``expires_at``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.UUIDField()
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="reservations")
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=ReservationState, default=ReservationState.HELD)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["reference", "item"], name="inventory_once_an_order"),
            models.CheckConstraint(name="inventory_some", condition=Q(quantity__gt=0)),
        )
        indexes = (
            models.Index(
                fields=["expires_at"], condition=Q(state="held"), name="inventory_lapsing"
            ),
        )


class StockReason(models.TextChoices):
    """Why a level changed."""

    RECEIVED = "received"
    SOLD = "sold"
    RETURNED = "returned"
    COUNTED = "counted"
    DAMAGED = "damaged"
    LOST = "lost"
    OTHER = "other"


class StockMove(models.Model):
    """One change of a level: by how many pieces, what it made of it, why and by whom."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="moves")
    change = models.IntegerField()
    on_hand = models.IntegerField()
    reason = models.CharField(max_length=8, choices=StockReason)
    note = models.CharField(max_length=500, blank=True)
    reference = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["item", "-id"], name="inventory_history"),
            models.Index(
                fields=["reference"], condition=Q(reference__isnull=False), name="inventory_of"
            ),
        )
