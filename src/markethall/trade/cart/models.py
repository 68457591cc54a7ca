from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.foundation.accounts.models import User
from markethall.kernel.ids import new_id
from markethall.trade.catalog.models import Variant


class Cart(models.Model):
    """Somebody's cart at one storefront: a user's, or the bearer's of a visitor's secret.
    ``voucher`` is the code as it was typed; what it is worth is reckoned afresh."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    storefront = models.CharField(max_length=16)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", null=True)
    visitor_digest = models.CharField(max_length=64, null=True)
    currency = models.CharField(max_length=3)
    voucher = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "storefront"], name="cart_one_a_user"),
            models.UniqueConstraint(
                fields=["visitor_digest", "storefront"], name="cart_one_a_visitor"
            ),
            models.CheckConstraint(
                name="cart_of_one",
                condition=Q(user__isnull=True, visitor_digest__isnull=False)
                | Q(user__isnull=False, visitor_digest__isnull=True),
            ),
        )
        indexes = (
            models.Index(
                fields=["updated_at"], condition=Q(user__isnull=True), name="cart_forgotten"
            ),
        )


class CartLine(models.Model):
    """Pieces of one variant in one configuration. ``configuration`` holds option code → value code
    or text; ``mark`` is its digest. ``seen_amount`` is the price of one piece, in minor units of
    the cart's currency, that its owner saw last; 0 before they saw any."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, models.CASCADE, related_name="+")
    configuration = models.JSONField(default=dict)
    mark = models.CharField(max_length=64)
    quantity = models.PositiveIntegerField()
    seen_amount = models.BigIntegerField()
    added_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["cart", "variant", "mark"], name="cart_line_once"),
            models.CheckConstraint(name="cart_some", condition=Q(quantity__gt=0)),
        )


class CartOrder(models.Model):
    """An order that was placed of a cart. ``mark`` is the digest of all that was agreed on: the
    same agreed on again is the same order."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    cart = models.ForeignKey(Cart, models.CASCADE, related_name="orders")
    reference = models.UUIDField(unique=True)
    mark = models.CharField(max_length=64)
    placed_at = models.DateTimeField()
