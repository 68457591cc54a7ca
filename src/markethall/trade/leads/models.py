from __future__ import annotations

from django.db import models
from django.db.models import Q

from markethall.foundation.accounts.models import User
from markethall.foundation.files.models import StoredFile
from markethall.kernel.ids import new_id
from markethall.kernel.money import Money

# The purpose of a reference picture.
REFERENCE = "reference"


class LeadStatus(models.TextChoices):
    NEW = "new"
    IN_PROGRESS = "in_progress"
    QUOTED = "quoted"
    WON = "won"
    LOST = "lost"


class Lead(models.Model):
    """Somebody's wish, with what they mean to spend at most, in minor units of ``currency``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=16, unique=True)
    storefront = models.CharField(max_length=16)
    customer_id = models.UUIDField(null=True, db_index=True)
    name = models.CharField(max_length=150)
    email = models.EmailField()
    phone = models.CharField(max_length=32, blank=True)
    budget = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    wanted_by = models.DateField(null=True)
    notes = models.TextField(max_length=4000)
    status = models.CharField(max_length=11, choices=LeadStatus, default=LeadStatus.NEW)
    assignee = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True)
    awaits_staff = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="leads_budget_in_a_currency",
                condition=Q(budget__isnull=True) | (Q(budget__gt=0) & ~Q(currency="")),
            ),
        )
        indexes = (
            models.Index(fields=["status", "-id"], name="leads_status"),
            models.Index(fields=["-id"], condition=Q(awaits_staff=True), name="leads_waiting"),
        )

    @property
    def is_closed(self) -> bool:
        return self.status in {LeadStatus.WON, LeadStatus.LOST}

    @property
    def budget_money(self) -> Money | None:
        return None if self.budget is None else Money(self.budget, self.currency)


class LeadPicture(models.Model):
    """A reference picture. It belongs to no lead until one is sent that names it."""

    file = models.OneToOneField(StoredFile, models.CASCADE, primary_key=True, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="pictures", null=True)
    added_at = models.DateTimeField(db_index=True)


class LeadMessage(models.Model):
    """One message: the customer's, staff's (``author_id``), or a note that only staff sees."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="messages")
    author_id = models.UUIDField(null=True)
    is_internal = models.BooleanField(default=False)
    body = models.TextField(max_length=4000)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="leads_notes_are_of_staff",
                condition=Q(is_internal=False) | Q(author_id__isnull=False),
            ),
        )
