from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.kernel.ids import new_id
from markethall.kernel.money import Money


class LineKind(models.TextChoices):
    """What an order line sells, which decides how it is fulfilled."""

    CREDITS = "credits"
    SUBSCRIPTION = "subscription"
    CONTENT = "content"
    GOODS = "goods"


class Offer(models.Model):
    """Something with a price that can be bought as it is. ``code`` is what callers name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=64, unique=True)
    kind = models.CharField(max_length=12, choices=LineKind)
    storefront = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    credits = models.PositiveIntegerField(null=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_featured = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="catalog_offer_priced", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="catalog_credits_counted",
                condition=~Q(kind="credits") | Q(credits__gt=0),
            ),
        )

    @property
    def price(self) -> Money:
        return Money(self.amount, self.currency)
