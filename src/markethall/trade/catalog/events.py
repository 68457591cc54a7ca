"""What the catalogue tells the rest of Markethall."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from markethall.kernel.events import Event


@dataclass(frozen=True, slots=True)
class VariantsMade(Event):
    """There are variants that there were not before."""

    variant_ids: Sequence[uuid.UUID]
