"""What a new person gets."""

from __future__ import annotations

from markethall.foundation.accounts.events import UserRegistered
from markethall.foundation.ledger.actions import grant_credits

WELCOME_CREDITS = 10


def give_welcome_credits(event: UserRegistered) -> None:
    """Ten credits, once a person, booked as a bonus."""
    grant_credits(
        user_id=event.user_id,
        amount=WELCOME_CREDITS,
        kind="bonus",
        key=f"welcome:{event.user_id}",
        metadata={"reason": "Welcome to Plushify"},
    )
