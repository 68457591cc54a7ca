from __future__ import annotations

import uuid
from dataclasses import dataclass

from markethall.kernel.events import Event


@dataclass(frozen=True, slots=True)
class UserRegistered(Event):
    """Somebody has an account now; the address may not be verified yet."""

    user_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class EmailVerified(Event):
    """Somebody proved that an address is theirs."""

    user_id: uuid.UUID
