"""Who makes the pictures: one Protocol, one file a provider, one registry keyed by setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from markethall.content.imaging.models import CallOutcome


@dataclass(frozen=True, slots=True)
class PictureWish:
    """What is to be made. ``reference`` is the generation's id: a provider that knows
    idempotency keys gets it as one. ``longer_side`` is in pixels.

    The rest is for providers that work after they have answered: ``resume`` is their id of the
    work that is under way, ``waited`` since when it is; ``lost_since`` tells that an earlier try
    may have begun some and died before it wrote the id down. Work that is done is told to
    ``callback``, an address of ours that is known to nobody else; empty when none can be reached.
    """

    reference: str
    original: bytes
    content_type: str
    style: str
    longer_side: int
    prompt: str
    seed: int
    person: str = ""
    resume: str = ""
    waited: timedelta = timedelta()
    lost_since: datetime | None = None
    callback: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a provider counted for one call, in tokens; ``pictures`` it made."""

    text_in: int = 0
    image_in: int = 0
    text_out: int = 0
    image_out: int = 0
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class MadePicture:
    """What was made, encoded; ``width`` and ``height`` in pixels."""

    content: bytes
    content_type: str
    width: int
    height: int
    usage: Usage = field(default_factory=lambda: Usage(pictures=1))


class Provider(Protocol):
    """Makes a picture of a plush toy. ``model`` is what its calls are recorded under."""

    model: str

    def make(self, wish: PictureWish) -> MadePicture:
        """Make it, within a bounded time.

        Raises ProviderUnavailable and its kin when somebody else or another try may succeed,
        ProviderRefused when none will, and ProviderWorking when it is still being made. What
        else it raises counts as ProviderUnavailable.
        """
        ...

    def probe(self) -> str:
        """Ask for something that costs nothing, and say what was found. Raises
        ProviderUnavailable and its kin."""
        ...


class ProviderUnavailable(Exception):
    """The provider did not answer, was busy, or broke down; ``retry_after`` in seconds.

    ``reason`` is for staff, in our words: what a provider writes may hold parts of a key.
    """

    outcome: ClassVar[CallOutcome] = CallOutcome.UNAVAILABLE

    def __init__(
        self, reason: str, *, retry_after: float | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.usage = usage or Usage()


class UnusableAnswer(ProviderUnavailable):
    """What came back is no picture that we can use."""

    outcome = CallOutcome.UNUSABLE


class RequestRejected(ProviderUnavailable):
    """The provider will not take this request, and not for its content; another may."""

    outcome = CallOutcome.REJECTED


class QuotaExhausted(ProviderUnavailable):
    """The provider wants money, or a longer pause than anybody waits."""

    outcome = CallOutcome.EXHAUSTED


class ProviderMisconfigured(ProviderUnavailable):
    """The key, the model or the address is wrong: an operator has to mend it."""

    outcome = CallOutcome.MISCONFIGURED


class ProviderRefused(Exception):
    """The provider will not make this picture; ``message`` tells the person what to change,
    ``reason`` tells staff why."""

    def __init__(self, message: str, *, reason: str = "", usage: Usage | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.usage = usage or Usage()


class ProviderWorking(Exception):
    """The picture is being made under the provider's id ``ref``; ask again after ``again_in``,
    unless a webhook comes first."""

    def __init__(self, ref: str, *, again_in: timedelta) -> None:
        super().__init__(f"{ref} is being made")
        self.ref = ref
        self.again_in = again_in
