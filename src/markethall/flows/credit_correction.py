"""Staff gives or takes credits, with a reason."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.staff import person
from markethall.foundation.audit.actions import record
from markethall.foundation.ledger.actions import grant_credits, take_back_credits
from markethall.foundation.ledger.queries import balance_of
from markethall.kernel.errors import Invalid
from markethall.kernel.ids import new_id
from markethall.kernel.live import notify

MAX_CORRECTION = 1_000_000


def correct_credits(*, actor: User, user_id: uuid.UUID, amount: int, reason: str) -> int:
    """Add ``amount`` credits, or remove them when it is negative, below zero if need be.

    Returns the new balance. Raises NotFound, and Invalid for nothing, too much, or no reason.
    """
    if amount == 0 or abs(amount) > MAX_CORRECTION:
        raise Invalid.field("amount", f"An amount is 1 to {MAX_CORRECTION} or its negative.")
    if not reason.strip():
        raise Invalid.field("reason", "Say why: it stands in the person's history.")
    correction = new_id()
    with transaction.atomic():
        person(user_id)
        booking: dict[str, Any] = {
            "user_id": user_id,
            "kind": "admin",
            "key": f"correction:{correction}",
            "reference": f"correction:{correction}",
            "actor_id": actor.pk,
            "metadata": {"reason": reason.strip()},
        }
        if amount > 0:
            grant_credits(amount=amount, **booking)
        else:
            take_back_credits(amount=-amount, allow_below_zero=True, **booking)
        balance = balance_of(user_id).balance
        record(
            "credits.correct",
            actor_id=actor.pk,
            subject_type="user",
            subject_id=user_id,
            amount=amount,
            balance=balance,
            reason=reason.strip(),
        )
        notify("balance", kind="admin", user_id=user_id)
    return balance
