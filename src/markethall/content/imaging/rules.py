"""What a generation may ask for, and when a failed try is worth another: pure functions."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from markethall.content.imaging.models import Size, Style
from markethall.kernel.errors import Invalid

MAX_PROMPT = 500  # characters
MAX_TRIES = 3
LONGER_SIDE = {Size.SMALL: 512, Size.MEDIUM: 768, Size.LARGE: 1024}  # pixels
_ALIASES = {"cute": Style.CUTE, "realistic": Style.REALISTIC, "cartoon": Style.CARTOON}
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
