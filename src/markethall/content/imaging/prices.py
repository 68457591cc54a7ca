"""What providers charge, in micro-USD (a millionth of a dollar).

A rate a token in micro-USD is the same number as the price of a million tokens in dollars, which
is how the price lists have it. They are those of autumn 2026; IMAGE_PRICES overrides them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from markethall.content.imaging.providers.base import Usage


@dataclass(frozen=True, slots=True)
class Rate:
    """Micro-USD a picture, and a token of each kind."""

    picture: int = 0
    text_in: Decimal = Decimal(0)
    image_in: Decimal = Decimal(0)
    text_out: Decimal = Decimal(0)
    image_out: Decimal = Decimal(0)


def _tokens(text_in: str, image_in: str, text_out: str, image_out: str) -> Rate:
    values = [Decimal(value) for value in (text_in, image_in, text_out, image_out)]
    return Rate(0, *values)


# The longest beginning of a model's name that stands here counts.
RATES: dict[str, Rate] = {
    "plush": Rate(),
    "gemini-nano-banana-2.1": _tokens("1.50", "1.50", "7.50", "30"),
    "gemini-3.1-flash-image": _tokens("0.50", "0.50", "3", "60"),
    "gemini-2.5-flash-image": _tokens("0.30", "0.30", "2.50", "30"),
    "gpt-image-2": _tokens("5", "8", "0", "30"),
    "black-forest-labs/flux-kontext-pro": Rate(picture=40_000),
    "black-forest-labs/flux-kontext-max": Rate(picture=80_000),
    "stable-image/control/structure": Rate(picture=50_000),
}


def cost_of(model: str, usage: Usage, own: Mapping[str, int]) -> int | None:
    """What a call cost in micro-USD, None when nobody knows. ``own`` are prices a picture by
    model, and go before the known rates."""
    if model in own:
        return own[model] * usage.pictures
    known = [name for name in RATES if model.startswith(name)]
    if not known:
        return 0 if usage == Usage() else None
    rate = RATES[max(known, key=len)]
    tokens = (
        usage.text_in * rate.text_in
        + usage.image_in * rate.image_in
        + usage.text_out * rate.text_out
        + usage.image_out * rate.image_out
    )
    return usage.pictures * rate.picture + int(tokens.quantize(Decimal(1), ROUND_HALF_UP))
