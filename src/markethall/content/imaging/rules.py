"""What a generation may ask for, and when a failed try is worth another: pure functions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from markethall.content.imaging.models import CallOutcome, Size, Style
from markethall.kernel.errors import Invalid

MAX_PROMPT = 500  # characters
MAX_TRIES = 3  # at one provider
TRIES_BEFORE_NEXT = 2  # at one provider, while another can be asked
MAX_LOOKS = 300  # at work that goes on at a provider's
LONGER_SIDE = {Size.SMALL: 512, Size.MEDIUM: 768, Size.LARGE: 1024}  # pixels
_ALIASES = {"cute": Style.CUTE, "realistic": Style.REALISTIC, "cartoon": Style.CARTOON}
# A provider that ended so is not asked again for this generation; another may be.
HOPELESS = frozenset({CallOutcome.REJECTED, CallOutcome.EXHAUSTED, CallOutcome.MISCONFIGURED})
_OUTAGES = frozenset({CallOutcome.UNAVAILABLE, CallOutcome.UNUSABLE})
_OUT_AT_ONCE = frozenset({CallOutcome.EXHAUSTED, CallOutcome.MISCONFIGURED})
OUTAGES_IN_A_ROW = 3
_COOL_OFF = timedelta(minutes=1)
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 120.0  # seconds


def parse_style(name: str) -> Style:
    """The style of that name or short name; raises Invalid."""
    try:
        return _ALIASES.get(name) or Style(name)
    except ValueError:
        raise Invalid.field("style", f"A style is one of {', '.join(Style)}.") from None


def parse_size(name: str) -> Size:
    """The size of that name; raises Invalid."""
    try:
        return Size(name)
    except ValueError:
        raise Invalid.field("size", f"A size is one of {', '.join(Size)}.") from None


def check_prompt(prompt: str) -> str:
    """The prompt without what cannot be stored; raises Invalid when it is too long."""
    prompt = prompt.replace("\x00", "").strip()
    if len(prompt) > MAX_PROMPT:
        raise Invalid.field("prompt", f"A prompt has at most {MAX_PROMPT} characters.")
    return prompt


def seed_of(sha256: str, style: str, size: str, prompt: str) -> int:
    """32 bits that follow from the original and the wish: the same wish, the same picture."""
    text = "\x00".join((sha256, style, size, prompt))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def wait_before(next_try: int, *, chance: float, asked: float | None = None) -> timedelta:
    """How long to wait before the second, third … try: exponential, spread by ``chance``
    (0 to 1), and never shorter than the provider ``asked`` for (seconds)."""
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 4.0 ** (next_try - 2)) * (0.5 + chance)
    return timedelta(seconds=max(wait, asked or 0.0))


def next_provider(
    chain: Sequence[str],
    tried: Sequence[tuple[str, str]],
    out: Collection[str] = (),
) -> str | None:
    """Who is asked next, None when nobody is left.

    ``chain`` are the providers in order, ``tried`` the calls of this generation so far as
    (provider, outcome), ``out`` the providers that have failed everybody lately: those come
    last.
    """
    most = MAX_TRIES if len(chain) == 1 else TRIES_BEFORE_NEXT
    calls = Counter(provider for provider, _ in tried)
    hopeless = {provider for provider, outcome in tried if outcome in HOPELESS}
    left = [name for name in chain if name not in hopeless and calls[name] < most]
    return next((name for name in left if name not in out), left[0] if left else None)


def is_out(latest: Sequence[tuple[str, datetime]], now: datetime) -> bool:
    """Whether a provider should be left alone for now, from its ``latest`` ended calls, the
    newest first, as (outcome, ended at). After a minute one call finds out whether it is back."""
    if not latest or now - latest[0][1] > _COOL_OFF:
        return False
    row = [outcome in _OUTAGES for outcome, _ in latest[:OUTAGES_IN_A_ROW]]
    return latest[0][0] in _OUT_AT_ONCE or (len(row) == OUTAGES_IN_A_ROW and all(row))
