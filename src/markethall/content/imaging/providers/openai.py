"""OpenAI's Images API: ``images.edit`` with a GPT image model."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import openai
from django.conf import settings
from openai.types import ImagesResponse

from markethall.content.imaging.prompts import instruction
from markethall.content.imaging.providers import answers, wire
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderRefused,
    QuotaExhausted,
    UnusableAnswer,
    Usage,
)
from markethall.content.imaging.providers.refusals import OF_PHOTO_OR_NOTE
from markethall.content.imaging.providers.registry import key_of

_REFUSED = {"moderation_blocked", "content_policy_violation"}
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
Quality = Literal["low", "medium", "high"]
_QUALITY: dict[int, Quality] = {512: "low", 768: "medium", 1024: "high"}


class OpenAIProvider:
    """``images.edit``."""

    def __init__(self) -> None:
        environment = settings.ENVIRONMENT
        self.model = environment.openai_image_model
        self._client = openai.OpenAI(
            api_key=key_of(environment.openai_api_key, "OPENAI_API_KEY"),
            base_url=environment.openai_base_url or "https://api.openai.com/v1",
            timeout=wire.timeout(),
            max_retries=0,
            http_client=wire.client(),  # type: ignore[arg-type]
        )

    def make(self, wish: PictureWish) -> MadePicture:
        try:
            answer = self._client.images.edit(
                model=self.model,
                image=("photo.jpg", answers.small_jpeg(wish.original), "image/jpeg"),
                prompt=instruction(wish.style, wish.longer_side, wish.prompt),
                size=_size(*answers.size_of(wish.original)),
                quality=_QUALITY.get(wish.longer_side, "high"),
                background="opaque",
                output_format="png",
                n=1,
                safety_identifier=wish.person or openai.omit,
                extra_headers={"X-Client-Request-Id": wish.reference},
            )
        except openai.APIStatusError as error:
            raise _judge(error) from error
        except openai.APIConnectionError as error:
            raise wire.told(error) from error
        except (openai.OpenAIError, ValueError) as error:
            raise UnusableAnswer(f"no answer of theirs: {type(error).__name__}") from error
        return _picture(answer, wish.longer_side)

    def probe(self) -> str:
        try:
            found = self._client.models.retrieve(self.model)
        except openai.APIStatusError as error:
            raise _judge(error) from error
        except openai.OpenAIError as error:
            raise wire.told(error) from error
        return f"{found.id} answers"


def _picture(answer: Any, longer_side: int) -> MadePicture:
    # What is no JSON comes back from the SDK as a string.
    if not isinstance(answer, ImagesResponse) or not answer.data:
        raise UnusableAnswer("no picture in the answer")
    usage = _usage(answer)
    encoded = answer.data[0].b64_json
    try:
        content = base64.b64decode(encoded or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise UnusableAnswer("no base64", usage=usage) from error
    return answers.checked(content, content_type="image/png", longer_side=longer_side, usage=usage)


def _usage(answer: ImagesResponse) -> Usage:
    counted = answer.usage
    if counted is None:
        return Usage(pictures=1)
    details = counted.input_tokens_details
    return Usage(
        text_in=details.text_tokens,
        image_in=details.image_tokens,
        image_out=counted.output_tokens,
        pictures=1,
    )


def _judge(error: openai.APIStatusError) -> Exception:
    """What an error of theirs means for us."""
    code, status = str(error.code or ""), error.status_code
    said = f"{status} {code}".strip()
    if status == 400 and code in _REFUSED:
        return ProviderRefused(OF_PHOTO_OR_NOTE, reason=said)
    if code in _NO_MONEY:
        return QuotaExhausted(said)
    return wire.judged(status, said, error.response.headers)


def _size(width: int, height: int) -> str:
    """One of the sizes that every GPT image model knows, nearest to the photo's shape."""
    if width / height > 1.2:
        return "1536x1024"
    return "1024x1536" if height / width > 1.2 else "1024x1024"
