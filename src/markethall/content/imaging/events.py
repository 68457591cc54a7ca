from __future__ import annotations

import uuid
from dataclasses import dataclass

from markethall.kernel.events import Event


@dataclass(frozen=True, slots=True)
class GenerationCompleted(Event):
    """A picture is ready and its credit spent."""

    generation_id: uuid.UUID
    user_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class GenerationFailed(Event):
    """A picture could not be made, and its credit has been given back."""

    generation_id: uuid.UUID
    user_id: uuid.UUID
