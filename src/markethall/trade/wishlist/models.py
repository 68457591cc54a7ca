from __future__ import annotations

from django.db import models

from markethall.foundation.accounts.models import User
from markethall.kernel.ids import new_id
from markethall.trade.catalog.models import Product


class WishlistItem(models.Model):
    """A product in one configuration, or not configured at all; ``mark`` is the digest."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    configuration = models.JSONField(default=dict)
    mark = models.CharField(max_length=64, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "product", "mark"], name="wishlist_once"),
        )


class VisitorWish(models.Model):
    """What the bearer of a visitor's secret wished for before they signed in, in the same terms;
    it joins their list when they do."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    visitor_digest = models.CharField(max_length=64)
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    configuration = models.JSONField(default=dict)
    mark = models.CharField(max_length=64, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["visitor_digest", "product", "mark"], name="wishlist_visitor_once"
            ),
        )
        indexes = (models.Index(fields=["added_at"], name="wishlist_forgotten"),)


class WishlistLink(models.Model):
    """The secret of a shared list's link. Without a row the list is not shared."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="+")
    token = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
