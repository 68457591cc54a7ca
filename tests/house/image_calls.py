"""How each image provider says what they all say, and a wish to send them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from house.photos import photo
from house.vendors import (
    MODEL,
    PICTURE,
    Answer,
    b64,
    gemini_error,
    gemini_picture,
    openai_error,
    openai_picture,
    prediction,
)
from markethall.content.imaging.providers.base import PictureWish
from markethall.content.imaging.providers.registry import provider_named

CREATE = f"/v1/models/{MODEL}/predictions"


@dataclass
class Case:
    """How one vendor says what they all say."""

    name: str
    path: str
    success: Callable[..., Answer]
    refusal: Answer
    error: Callable[..., Answer]


def replicate_done(content: bytes = PICTURE) -> Answer:
    uri = f"data:image/png;base64,{b64(content)}"
    return Answer(201, prediction("p1", "succeeded", output=uri))


CASES = {
    "gemini": Case(
        "gemini",
        "/v1/models/gemini-nano-banana-2.1:generateContent",
        gemini_picture,
        gemini_picture(finishReason="IMAGE_SAFETY", content={"role": "model"}),
        lambda status, **headers: gemini_error(status, "UNKNOWN", **headers),
    ),
    "openai": Case(
        "openai",
        "/v1/images/edits",
        openai_picture,
        openai_error(400, "moderation_blocked", "image_generation_user_error"),
        lambda status, **headers: openai_error(status, None, "server_error", **headers),
    ),
    "replicate": Case(
        "replicate",
        CREATE,
        replicate_done,
        Answer(
            201,
            prediction("p1", "failed", error="The input or output was flagged as sensitive (E005)"),
        ),
        lambda status, **headers: Answer(status, {"title": "No", "status": status}, headers),
    ),
    "stability": Case(
        "stability",
        "/v2beta/stable-image/control/structure",
        lambda content=PICTURE: Answer(200, content, {"finish-reason": "SUCCESS", "seed": "1"}),
        Answer(403, {"id": "1", "name": "content_moderation", "errors": ["flagged"]}),
        lambda status, **headers: Answer(
            status, {"id": "1", "name": "oops", "errors": ["sk-stability-secret-key"]}, headers
        ),
    ),
}


def wish(**more: Any) -> PictureWish:
    values: dict[str, Any] = {
        "reference": str(uuid.UUID(int=2**64 + 77)),
        "original": photo("JPEG", (300, 200)),
        "content_type": "image/jpeg",
        "style": "cute-fluffy",
        "longer_side": 768,
        "prompt": "a red bow",
        "seed": 42,
    }
    return PictureWish(**{**values, **more})


def make(name: str, **more: Any) -> Any:
    return provider_named(name).make(wish(**more))
