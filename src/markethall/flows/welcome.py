"""What a new person gets."""

from __future__ import annotations

from markethall.foundation.accounts.events import UserRegistered
from markethall.foundation.ledger.actions import grant_credits
from markethall.foundation.platform.queries import platform_settings


def give_welcome_credits(event: UserRegistered) -> None:
    """Ten credits, unless the operator set another number, once a person, booked as a bonus."""
    amount = platform_settings().welcome_credits
    if not amount:
        return
    grant_credits(
        user_id=event.user_id,
        amount=amount,
        kind="bonus",
        key=f"welcome:{event.user_id}",
        metadata={"reason": "Welcome to Plushify"},
    )
