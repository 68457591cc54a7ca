"""What a person may do now, how much of it is left, and why something is locked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.platform.queries import platform_settings


@dataclass(frozen=True, slots=True)
class Entitlement:
    """``left`` is how often it can be done; ``reason`` is a code, empty when it is allowed."""

    feature: str
    allowed: bool
    left: int
    cost: int
    reason: str


def entitlements_of(user_id: uuid.UUID) -> list[Entitlement]:
    """What ``user_id`` may do."""
    settings, balance = platform_settings(), balance_of(user_id).balance
    left = max(0, balance) // settings.generation_cost
    reason = ""
    if not settings.generations_open:
        reason = "generations_closed"
    elif not left:
        reason = "insufficient_credits"
    return [
        Entitlement(
            feature="plush_picture",
            allowed=not reason,
            left=left,
            cost=settings.generation_cost,
            reason=reason,
        )
    ]
