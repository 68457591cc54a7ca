from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.kernel.ids import new_id
from markethall.trade.catalog.models import TaxCategory


class TaxRate(models.Model):
    """The rate of a country (ISO 3166, two letters; empty for all others) for a category, in
    ten-thousandths. ``is_inclusive`` says that prices contain it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    country = models.CharField(max_length=2, blank=True)
    category = models.CharField(max_length=8, choices=TaxCategory)
    name = models.CharField(max_length=40)
    basis_points = models.PositiveIntegerField()
    is_inclusive = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["country", "category"], name="taxes_one_rate"),
            models.CheckConstraint(name="taxes_at_most_all", condition=Q(basis_points__lte=10_000)),
        )
