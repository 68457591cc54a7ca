"""Pure rules of carts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from markethall.kernel.errors import Invalid

MAX_QUANTITY = 99
MAX_LINES = 50


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose cart: a user's or, without one, that of the bearer of a visitor's secret, by its
    digest."""

    user_id: uuid.UUID | None = None
    visitor_digest: str | None = None

    def __post_init__(self) -> None:
        if (self.user_id is None) == (self.visitor_digest is None):
            raise ValueError("A cart is a user's or a visitor's.")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a cart had no room for, as it was chosen, and the currency it was wanted in."""

    product_id: uuid.UUID
    configuration: Mapping[str, str]
    currency: str


def check_quantity(quantity: int, least: int = 1) -> None:
    """Raises Invalid for a quantity that a line cannot have."""
    if not least <= quantity <= MAX_QUANTITY:
        raise Invalid.field("quantity", f"A quantity is {least} to {MAX_QUANTITY}.")
