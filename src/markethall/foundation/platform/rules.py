"""Which settings there are, their defaults and their bounds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PlatformSettings(BaseModel):
    """What the operator can change while the hall is open."""

    model_config = ConfigDict(frozen=True)

    welcome_credits: int = Field(10, ge=0, le=10_000, description="Credits of a new person.")
    generation_cost: int = Field(1, ge=1, le=1_000, description="Credits that a picture costs.")
    generations_open: bool = Field(True, description="Whether pictures can be asked for.")
    signups_open: bool = Field(True, description="Whether new people can sign up.")
    support_email: str = Field(
        "support@markethall.test",
        max_length=254,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="Where people are told to write.",
    )
    maintenance_notice: str = Field(
        "", max_length=300, description="Shown on every page while it is not empty."
    )
