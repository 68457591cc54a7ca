"""Replicate: a prediction is created, goes on by itself, and is asked for until it has ended.

Its id is written down with the call as soon as it is known, and a webhook tells when it has
ended. A worker that dies in between takes the same prediction up; one that dies before it wrote
the id down finds the prediction by its seed, which no other generation has.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import httpx
import replicate
from django.conf import settings
from replicate.exceptions import ReplicateError
from replicate.prediction import Prediction

from markethall.content.imaging.prompts import NEGATIVE, instruction
from markethall.content.imaging.providers import answers, wire
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderMisconfigured,
    ProviderRefused,
    ProviderUnavailable,
    ProviderWorking,
    UnusableAnswer,
)
from markethall.content.imaging.providers.refusals import OF_PHOTO_OR_NOTE
from markethall.content.imaging.providers.registry import key_of

PATIENCE = timedelta(minutes=10)  # then a prediction is cancelled
_WAIT = 5  # seconds that the creating call stays open for quick models
_PHOTO_FIELDS = ("input_image", "input_images", "image_input", "image", "images", "init_image")
_FLAGGED = re.compile(r"nsfw|sensitive|flagged|safety|moderat|content policy|E005", re.IGNORECASE)
_MOST_DATA_URI = 250_000  # bytes; more belongs on a server, says Replicate
_PAGES = 3  # of predictions that are looked through for a lost one
_CLOCKS_DIFFER = timedelta(minutes=2)


class _NoWaiting(wire.Bounded):
    """Replicate's client sleeps and tries again on these, for longer than a worker may."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if response.status_code in {429, 503, 504}:
            response.close()
            raise wire.busy(response.headers, str(response.status_code))
        return response


class ReplicateProvider:
    """A model of Replicate's that edits pictures."""

    def __init__(self) -> None:
        environment = settings.ENVIRONMENT
        self.model, _, self._version = environment.replicate_model.partition(":")
        self._origin = environment.replicate_base_url
        self._token = key_of(environment.replicate_api_token, "REPLICATE_API_TOKEN")
        self._client = replicate.Client(
            api_token=self._token,
            base_url=self._origin,
            timeout=wire.limits(),
            transport=_NoWaiting(),
        )

    def make(self, wish: PictureWish) -> MadePicture:
        try:
            return self._result(self._prediction(wish), wish)
        except ReplicateError as error:
            raise wire.judged(error.status or 0, f"{error.status}", {}) from error
        except (httpx.HTTPError, ProviderUnavailable) as error:
            raise wire.told(error) from error
        except (ValueError, TypeError, AttributeError, KeyError) as error:  # not what they describe
            raise UnusableAnswer(f"no answer of theirs: {type(error).__name__}") from error

    def probe(self) -> str:
        try:
            account = self._client.accounts.current()
            self._fields()
        except ReplicateError as error:
            raise wire.judged(error.status or 0, f"{error.status}", {}) from error
        except (httpx.HTTPError, ProviderUnavailable, ValueError, TypeError) as error:
            raise wire.told(error) from error
        return f"{self.model} answers, as {account.username}"

    def _prediction(self, wish: PictureWish) -> Prediction:
        if wish.resume:
            return self._client.predictions.get(wish.resume)
        if wish.lost_since and (found := self._find(wish, wish.lost_since)):
            return found
        wanted: dict[str, Any] = {"input": self._input(wish), "wait": _WAIT}
        if wish.callback:
            wanted |= {"webhook": wish.callback, "webhook_events_filter": ["completed"]}
        if self._version:
            return self._client.predictions.create(version=self._version, **wanted)
        return self._client.predictions.create(model=self.model, **wanted)

    def _find(self, wish: PictureWish, since: datetime) -> Prediction | None:
        """The prediction that an earlier try created, if it got so far."""
        seed, since = _seed(wish), since - _CLOCKS_DIFFER
        page = self._client.predictions.list()
        for _ in range(_PAGES):
            for one in page.results:
                same = (one.input or {}).get("seed") == seed
                if same and one.status not in {"failed", "canceled"}:
                    return one
            oldest = page.results[-1].created_at if page.results else None
            if not page.next or not oldest or _time(oldest) < since:
                return None
            page = self._client.predictions.list(page.next)
        return None

    def _input(self, wish: PictureWish) -> dict[str, Any]:
        """What the model takes, by the names that it gives them itself."""
        fields = self._fields()
        name = next((name for name in _PHOTO_FIELDS if name in fields), None)
        if name is None or "prompt" not in fields:
            raise ProviderMisconfigured(f"{self.model} does not edit pictures")
        photo = answers.small_jpeg(wish.original, longer_side=1024, most=_MOST_DATA_URI * 3 // 4)
        uri = "data:image/jpeg;base64," + base64.b64encode(photo).decode()
        optional: dict[str, Any] = {
            "aspect_ratio": "match_input_image",
            "output_format": "png",
            "safety_tolerance": 2,
            "negative_prompt": NEGATIVE,
            "seed": _seed(wish),
        }
        return {
            name: [uri] if fields[name].get("type") == "array" else uri,
            "prompt": instruction(wish.style, wish.longer_side, wish.prompt),
            **{key: value for key, value in optional.items() if _takes(fields, key, value)},
        }

    def _fields(self) -> dict[str, Any]:
        return _schema(self.model, self._origin, self._token)

    def _result(self, prediction: Prediction, wish: PictureWish) -> MadePicture:
        if prediction.status == "succeeded":
            content, kind = self._fetch(_first(prediction.output))
            return answers.checked(content, content_type=kind, longer_side=wish.longer_side)
        if prediction.status == "failed":
            # Models say it in their own words; there is no code.
            if _FLAGGED.search(prediction.error or ""):
                raise ProviderRefused(OF_PHOTO_OR_NOTE, reason="prediction flagged")
            raise ProviderUnavailable("prediction failed")
        if prediction.status == "canceled":
            raise ProviderUnavailable("prediction cancelled")
        if wish.waited > PATIENCE:
            self._client.predictions.cancel(prediction.id)
            raise ProviderUnavailable(f"not done after {PATIENCE}, cancelled")
        raise ProviderWorking(prediction.id, again_in=_pause(wish))

    def _fetch(self, place: str) -> tuple[bytes, str]:
        """The picture at an address that Replicate gave; its token goes to Replicate only."""
        if place.startswith("data:"):
            head, _, data = place.partition(",")
            try:
                return base64.b64decode(data), head.removeprefix("data:").partition(";")[0]
            except binascii.Error as error:
                raise UnusableAnswer("no base64") from error
        if not place.startswith(("https://", f"{self._origin}/")):
            raise UnusableAnswer("a picture at no address of theirs")
        with wire.client() as client:
            answer = client.get(place)
        if answer.status_code != 200:
            raise ProviderUnavailable(f"the picture's address answers {answer.status_code}")
        return answer.content, answer.headers.get("content-type", "")


@lru_cache(maxsize=4)
def _schema(model: str, origin: str, token: str) -> dict[str, Any]:
    """The inputs of a model, by name: asked for once a process."""
    client = replicate.Client(
        api_token=token, base_url=origin, timeout=wire.limits(), transport=_NoWaiting()
    )
    version = client.models.get(model).latest_version
    schemas = ((version and version.openapi_schema) or {}).get("components", {}).get("schemas", {})
    fields = schemas.get("Input", {}).get("properties", {})
    return {name: _resolved(field, schemas) for name, field in fields.items()}


def _resolved(field: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A field with what it refers to: choices stand in a schema of their own."""
    for one in field.get("allOf", []):
        name = str(one.get("$ref", "")).rpartition("/")[2]
        field = {**schemas.get(name, {}), **field}
    return field


def _takes(fields: dict[str, Any], name: str, value: Any) -> bool:
    choices = fields.get(name, {}).get("enum")
    return name in fields and (choices is None or value in choices)


def _seed(wish: PictureWish) -> int:
    """31 bits of the generation's id: a prediction is found again by them."""
    return uuid.UUID(wish.reference).int & 0x7FFFFFFF


def _pause(wish: PictureWish) -> timedelta:
    """Until the next look. A webhook mostly comes first."""
    if wish.callback:
        return timedelta(seconds=30)
    return max(timedelta(seconds=2), min(wish.waited / 4, timedelta(seconds=20)))


def _first(output: Any) -> str:
    found = output[0] if isinstance(output, list) and output else output
    if not isinstance(found, str):
        raise UnusableAnswer("no picture in the output")
    return found


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
