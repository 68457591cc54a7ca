from __future__ import annotations

from django.db import models

from markethall.kernel.ids import new_id
from markethall.trade.catalog.models import Product


class Glance(models.Model):
    """When somebody looked at a product last. ``viewer`` is ``rules.viewer_of``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    viewer = models.CharField(max_length=80)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["viewer", "product"], name="analytics_one_glance"),
        )
        indexes = (
            models.Index(fields=["viewer", "-at"], name="analytics_lately"),
            models.Index(fields=["at"], name="analytics_old_glances"),
        )


class ViewCount(models.Model):
    """How often a product was looked at on one day, in UTC."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    day = models.DateField()
    views = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["product", "day"], name="analytics_one_count"),
        )
        indexes = (models.Index(fields=["day"], name="analytics_day"),)
