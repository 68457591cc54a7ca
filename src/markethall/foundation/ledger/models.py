"""Accounts, transactions, entries and holds. Guards that Django cannot say stand in migration
``0002_guards``."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from markethall.kernel.ids import new_id

CREDIT = "CREDIT"


class Account(models.Model):
    """Where units lie. ``balance`` is None for system accounts, which have no floor either."""

    id = models.UUIDField(primary_key=True, editable=False)
    code = models.CharField(max_length=96, unique=True)
    owner_id = models.UUIDField(null=True, db_index=True)
    unit = models.CharField(max_length=8)
    balance = models.BigIntegerField(null=True)
    floor = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="ledger_balance_above_floor",
                condition=Q(balance__isnull=True) | Q(balance__gte=F("floor")),
            ),
            models.CheckConstraint(
                name="ledger_floor_with_balance",
                condition=Q(balance__isnull=True, floor__isnull=True)
                | Q(balance__isnull=False, floor__isnull=False),
            ),
        )


class Transaction(models.Model):
    """One posting of the books: what for (``kind``), because of what (``reference``), by whom."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=96, blank=True)
    actor_id = models.UUIDField(null=True)
    metadata = models.JSONField(default=dict)
    posted_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=["reference"], name="ledger_reference"),
            models.Index(fields=["kind", "posted_at"], name="ledger_kind"),
            models.Index(fields=["kind", "-id"], name="ledger_kind_course"),
        )


class Entry(models.Model):
    """One side of a transaction. ``balance_after`` is filled in by the database."""

    id = models.BigAutoField(primary_key=True)
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", db_index=False)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="ledger_entry_not_zero", condition=~Q(amount=0)),
        )
        indexes = (models.Index(fields=["account", "-id"], name="ledger_account_course"),)


class HoldState(models.TextChoices):
    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"


class Hold(models.Model):
    """Units set aside: captured or released later, exactly once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    wallet = models.ForeignKey(Account, models.PROTECT, related_name="+")
    opened_by = models.OneToOneField(Transaction, models.PROTECT, related_name="hold")
    settled_by = models.OneToOneField(
        Transaction, models.PROTECT, related_name="settled_hold", null=True
    )
    amount = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=HoldState, default=HoldState.HELD)

    class Meta:
        constraints = (
            models.CheckConstraint(name="ledger_hold_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="ledger_hold_settled_once",
                condition=Q(state="held", settled_by__isnull=True)
                | (~Q(state="held") & Q(settled_by__isnull=False)),
            ),
        )
        indexes = (
            models.Index(fields=["wallet"], condition=Q(state="held"), name="ledger_open_holds"),
        )


class BookCheck(models.Model):
    """One run over the books. ``done`` of ``total`` checks are through."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    actor_id = models.UUIDField(null=True)
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField()
    current = models.CharField(max_length=80, blank=True)
    faults = models.JSONField(default=list)
    checksum = models.CharField(max_length=32, blank=True)
