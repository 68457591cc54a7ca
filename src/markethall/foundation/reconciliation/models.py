from __future__ import annotations

from django.db import models

from markethall.kernel.ids import new_id
from markethall.kernel.money import Money


class Reason(models.TextChoices):
    """Why the gateway's money and ours differ; ``rules.EXPLANATIONS`` says it in a sentence."""

    NOT_BOOKED = "not_booked"
    CHARGED_TWICE = "charged_twice"
    OTHER_AMOUNT = "other_amount"
    UNKNOWN_CHARGE = "unknown_charge"
    NOT_AT_GATEWAY = "not_at_gateway"
    REFUND_NOT_BOOKED = "refund_not_booked"
    REFUND_OTHER_AMOUNT = "refund_other_amount"
    UNKNOWN_REFUND = "unknown_refund"
    REFUND_NOT_AT_GATEWAY = "refund_not_at_gateway"


class Comparison(models.Model):
    """One run over the gateways in use, for what moved from ``since`` until before ``until``.

    ``gateways`` has one ``{"name", "answered", "detail"}`` each; ``asked`` counts the payments and
    refunds that were asked about, ``healed`` those that were brought to another state by it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    actor_id = models.UUIDField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=120, blank=True)
    gateways = models.JSONField(default=list)
    asked = models.PositiveIntegerField(default=0)
    healed = models.PositiveIntegerField(default=0)


class ComparedDay(models.Model):
    """What moved at one gateway in one currency on one day (UTC): there, and in our books. All
    amounts are positive, in minor units."""

    id = models.BigAutoField(primary_key=True)
    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="days")
    gateway = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    day = models.DateField()
    charged_there = models.BigIntegerField(default=0)
    refunded_there = models.BigIntegerField(default=0)
    charged_here = models.BigIntegerField(default=0)
    refunded_here = models.BigIntegerField(default=0)

    @property
    def off_by(self) -> int:
        """What the gateway has more than our books."""
        there = self.charged_there - self.refunded_there
        return there - (self.charged_here - self.refunded_here)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["comparison", "gateway", "currency", "day"], name="reconciliation_day_once"
            ),
        )


class Difference(models.Model):
    """One item on which the gateway and the books differ. ``there`` and ``here`` are minor units,
    None where that side has nothing; ``reference`` is what the payment was for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="differences")
    gateway = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    day = models.DateField()
    reason = models.CharField(max_length=24, choices=Reason)
    ref = models.CharField(max_length=255, blank=True)
    payment_ref = models.CharField(max_length=255, blank=True)
    payment_id = models.UUIDField(null=True)
    refund_id = models.UUIDField(null=True)
    reference = models.UUIDField(null=True)
    there = models.BigIntegerField(null=True)
    here = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=500, blank=True)
    healed_at = models.DateTimeField(null=True)

    @property
    def money_there(self) -> Money | None:
        return None if self.there is None else Money(self.there, self.currency)

    @property
    def money_here(self) -> Money | None:
        return None if self.here is None else Money(self.here, self.currency)


class Heard(models.Model):
    """Until when a gateway's movements have been looked through, so that the next look begins
    there."""

    gateway = models.CharField(max_length=16, primary_key=True)
    until = models.DateTimeField()
