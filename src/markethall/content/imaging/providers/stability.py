"""Stability AI's REST API: a new picture that keeps the structure of the photo.

It has no SDK of its own for Python; the calls are those of its published API, ``v2beta``.
"""

from __future__ import annotations

import httpx
from django.conf import settings

from markethall.content.imaging.prompts import NEGATIVE, caption
from markethall.content.imaging.providers import answers, wire
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderRefused,
    ProviderUnavailable,
    QuotaExhausted,
    UnusableAnswer,
)
from markethall.content.imaging.providers.refusals import OF_PHOTO_OR_NOTE
from markethall.content.imaging.providers.registry import key_of

_PATH = "/v2beta/stable-image/control/structure"
# Of the photo's structure, 0 to 1: enough for its pose, too little for its skin.
_STRENGTH = "0.65"
_MOST_SEED = 4_294_967_294


class StabilityProvider:
    """``control/structure``."""

    model = "stable-image/control/structure"

    def __init__(self) -> None:
        environment = settings.ENVIRONMENT
        key = key_of(environment.stability_api_key, "STABILITY_API_KEY")
        self._client = wire.client(
            environment.stability_base_url,
            {"Authorization": f"Bearer {key}", "stability-client-id": "markethall"},
        )

    def make(self, wish: PictureWish) -> MadePicture:
        answer = self._send(
            "POST",
            _PATH,
            headers={"Accept": "image/*"},
            data={
                "prompt": caption(wish.style, wish.longer_side, wish.prompt),
                "negative_prompt": NEGATIVE,
                "control_strength": _STRENGTH,
                "seed": str(wish.seed % _MOST_SEED),
                "output_format": "png",
            },
            files={"image": ("photo.jpg", answers.small_jpeg(wish.original), "image/jpeg")},
        )
        if answer.headers.get("finish-reason", "").upper() == "CONTENT_FILTERED":
            raise ProviderRefused(OF_PHOTO_OR_NOTE, reason="finished by CONTENT_FILTERED")
        return answers.checked(
            answer.content,
            content_type=answer.headers.get("content-type", ""),
            longer_side=wish.longer_side,
        )

    def probe(self) -> str:
        answer = self._send("GET", "/v1/user/balance")
        try:
            credits = float(answer.json()["credits"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnusableAnswer("no balance in the answer") from error
        if credits <= 0:
            raise QuotaExhausted("no credits are left")
        return f"{credits:,.0f} credits left"

    def _send(self, method: str, path: str, **parts: object) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **parts)  # type: ignore[arg-type]
        except (httpx.HTTPError, ProviderUnavailable) as error:
            raise wire.told(error) from error
        if answer.status_code != 200:
            raise _judge(answer)
        return answer


def _judge(answer: httpx.Response) -> Exception:
    """What an error of theirs means for us: ``{"id", "name", "errors"}``."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    name = str(body.get("name", "")) if isinstance(body, dict) else ""
    status = answer.status_code
    said = f"{status} {name[:60]}".strip()
    if name == "content_moderation":
        return ProviderRefused(OF_PHOTO_OR_NOTE, reason=said)
    if name == "insufficient_balance":
        return QuotaExhausted(said)
    return wire.judged(status, said, answer.headers)
