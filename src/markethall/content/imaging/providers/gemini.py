"""Google's Gemini API: the photo and the instruction in, a picture among the parts out."""

from __future__ import annotations

from typing import Any

import httpx
from django.conf import settings
from google import genai
from google.genai import errors, types

from markethall.content.imaging.prompts import instruction
from markethall.content.imaging.providers import answers, wire
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    QuotaExhausted,
    UnusableAnswer,
    Usage,
)
from markethall.content.imaging.providers.refusals import OF_PHOTO_OR_NOTE
from markethall.content.imaging.providers.registry import key_of

_REFUSED = {
    "SAFETY",
    "IMAGE_SAFETY",
    "PROHIBITED_CONTENT",
    "IMAGE_PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "RECITATION",
    "IMAGE_RECITATION",
}
_HARMS = (
    types.HarmCategory.HARM_CATEGORY_HARASSMENT,
    types.HarmCategory.HARM_CATEGORY_HATE_SPEECH,
    types.HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT,
    types.HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
)
_RATIOS = {"1:1": 1.0, "4:3": 4 / 3, "3:4": 3 / 4, "3:2": 1.5, "2:3": 2 / 3}


class GeminiProvider:
    """``generate_content`` with an image model."""

    def __init__(self) -> None:
        environment = settings.ENVIRONMENT
        self.model = environment.gemini_image_model
        self._client = genai.Client(
            vertexai=False,
            api_key=key_of(environment.gemini_api_key, "GEMINI_API_KEY"),
            http_options=types.HttpOptions(
                base_url=environment.gemini_base_url,
                timeout=round(wire.timeout() * 1000),
                retry_options=types.HttpRetryOptions(attempts=1),
                client_args={"transport": wire.Bounded(), "timeout": wire.limits()},
            ),
        )

    def make(self, wish: PictureWish) -> MadePicture:
        photo = answers.small_jpeg(wish.original)
        ratio = _ratio(*answers.size_of(wish.original))
        parts = [
            types.Part.from_bytes(data=photo, mime_type="image/jpeg"),
            types.Part.from_text(text=instruction(wish.style, wish.longer_side, wish.prompt)),
        ]
        try:
            answer = self._client.models.generate_content(
                model=self.model,
                contents=types.Content(role="user", parts=parts),
                config=types.GenerateContentConfig(
                    response_modalities=["IMAGE"],
                    candidate_count=1,
                    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
                    image_config=types.ImageConfig(aspect_ratio=ratio),
                    safety_settings=[
                        types.SafetySetting(
                            category=harm,
                            threshold=types.HarmBlockThreshold.BLOCK_MEDIUM_AND_ABOVE,
                        )
                        for harm in _HARMS
                    ],
                ),
            )
        except errors.APIError as error:
            raise _judge(error) from error
        except (httpx.HTTPError, ProviderUnavailable) as error:
            raise wire.told(error) from error
        except ValueError as error:  # JSON's and pydantic's
            raise UnusableAnswer(f"no answer of theirs: {type(error).__name__}") from error
        return _picture(answer, wish.longer_side)

    def probe(self) -> str:
        try:
            found = self._client.models.get(model=self.model)
        except errors.APIError as error:
            raise _judge(error) from error
        except (httpx.HTTPError, ProviderUnavailable, ValueError) as error:
            raise wire.told(error) from error
        return f"{found.display_name or self.model} answers"


def _picture(answer: types.GenerateContentResponse, longer_side: int) -> MadePicture:
    usage = _usage(answer.usage_metadata)
    feedback = answer.prompt_feedback
    if feedback and feedback.block_reason:
        reason = f"prompt blocked: {feedback.block_reason.value}"
        raise ProviderRefused(OF_PHOTO_OR_NOTE, reason=reason, usage=usage)
    candidate = answer.candidates[0] if answer.candidates else None
    if candidate is None:
        raise UnusableAnswer("no candidate", usage=usage)
    finish = candidate.finish_reason.value if candidate.finish_reason else "none"
    if finish in _REFUSED:
        raise ProviderRefused(OF_PHOTO_OR_NOTE, reason=f"finished by {finish}", usage=usage)
    parts = candidate.content.parts if candidate.content and candidate.content.parts else []
    for part in parts:
        data = part.inline_data
        if data and data.data and not part.thought:
            return answers.checked(
                data.data,
                content_type=data.mime_type or "",
                longer_side=longer_side,
                usage=usage,
            )
    raise UnusableAnswer(f"no picture, finished by {finish}", usage=usage)


def _usage(counted: types.GenerateContentResponseUsageMetadata | None) -> Usage:
    if counted is None:
        return Usage(pictures=1)
    into = _by_kind(counted.prompt_tokens_details)
    out = _by_kind(counted.candidates_tokens_details)
    seen, told = sum(into.values()), counted.prompt_token_count or 0
    made, all_made = sum(out.values()), counted.candidates_token_count or 0
    return Usage(
        text_in=into.get("TEXT", 0) + max(0, told - seen),
        image_in=into.get("IMAGE", 0),
        text_out=out.get("TEXT", 0) + (counted.thoughts_token_count or 0),
        # Without details, what an image model gives is a picture.
        image_out=out.get("IMAGE", 0) + max(0, all_made - made),
        pictures=1,
    )


def _by_kind(details: list[types.ModalityTokenCount] | None) -> dict[str, int]:
    return {one.modality.value: one.token_count or 0 for one in details or [] if one.modality}


def _judge(error: errors.APIError) -> Exception:
    """What an error of theirs means for us."""
    code, status = error.code, error.status or ""
    said = f"{code} {status}".strip()
    headers = getattr(error.response, "headers", None) or {}
    details = _details(error)
    if code == 429:
        quotas = [q for one in details for q in one.get("violations", [])]
        if any("PerDay" in str(quota.get("quotaId", "")) for quota in quotas):
            return QuotaExhausted(f"{said}: the day's quota")
        return wire.busy(headers, said, _asked(details) or wire.retry_after(headers))
    if any(one.get("reason") == "API_KEY_INVALID" for one in details):
        return ProviderMisconfigured(said)
    if status == "FAILED_PRECONDITION":
        return ProviderMisconfigured(f"{said}: billing, or the country")
    return wire.judged(code, said, headers)


def _details(error: errors.APIError) -> list[dict[str, Any]]:
    body = error.details if isinstance(error.details, dict) else {}
    inner = body.get("error", body)
    found = inner.get("details") if isinstance(inner, dict) else None
    return [one for one in found or [] if isinstance(one, dict)]


def _asked(details: list[dict[str, Any]]) -> float | None:
    """The seconds of a ``RetryInfo``: ``"retryDelay": "36s"``."""
    for one in details:
        delay = str(one.get("retryDelay", ""))
        if delay.endswith("s") and delay[:-1].replace(".", "", 1).isdigit():
            return float(delay[:-1])
    return None


def _ratio(width: int, height: int) -> str:
    return min(_RATIOS, key=lambda name: abs(_RATIOS[name] - width / height))
