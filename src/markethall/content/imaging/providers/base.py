from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PictureWish:
    """What is to be made. ``reference`` is the generation's id: a provider that knows
    idempotency keys gets it as one. ``longer_side`` is in pixels."""

    reference: str
    original: bytes
    content_type: str
    style: str
    longer_side: int
    prompt: str
    seed: int


@dataclass(frozen=True, slots=True)
class MadePicture:
    """What was made, encoded; ``width`` and ``height`` in pixels."""

    content: bytes
    content_type: str
    width: int
    height: int


class Provider(Protocol):
    """Makes a picture of a plush toy."""

    def make(self, wish: PictureWish) -> MadePicture:
        """Make it, within a bounded time.

        Raises ProviderUnavailable when another try may succeed, and ProviderRefused when none
        will. What else it raises counts as the former.
        """
        ...


class ProviderUnavailable(Exception):
    """The provider did not answer, was busy, or broke down; ``retry_after`` in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class ProviderRefused(Exception):
    """The provider will not make this picture; ``message`` tells the person what to change."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
