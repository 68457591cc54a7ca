"""Who makes the pictures, and in which order others are asked: the settings of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

Maker = Literal["local", "gemini", "openai", "replicate", "stability"]
_KEYS = {
    "gemini": "gemini_api_key",
    "openai": "openai_api_key",
    "replicate": "replicate_api_token",
    "stability": "stability_api_key",
}
_ADDRESS = r"^https?://[^/].*$"


class ImageSettings(BaseSettings):
    """A part of ``Environment``."""

    image_provider: Maker = Field("local", description="Who makes the plush pictures.")
    image_fallbacks: Annotated[list[Maker], NoDecode] = Field(
        [],
        description="Who is asked when that provider cannot be reached, comma-separated, in"
        " this order: `openai,local`.",
    )
    image_timeout: int = Field(
        120, ge=5, le=600, description="Seconds that a provider has to answer one call."
    )
    image_prices: Annotated[dict[str, int], NoDecode] = Field(
        {},
        description="What a picture costs you, where the known rates are not yours: model and"
        " micro-USD (a millionth of a dollar) a picture, comma-separated: `gpt-image-2=41000`.",
    )
    gemini_api_key: str | None = Field(None, description="Google's Gemini API, for pictures.")
    gemini_base_url: str | None = Field(
        None, pattern=_ADDRESS, description="Another address than Google's own."
    )
    gemini_image_model: str = Field("gemini-nano-banana-2.1", description="Gemini's image model.")
    openai_api_key: str | None = Field(None, description="OpenAI's API, for pictures.")
    openai_base_url: str | None = Field(
        None, pattern=_ADDRESS, description="Another address than OpenAI's own, with its `/v1`."
    )
    openai_image_model: str = Field("gpt-image-2.6-flare", description="OpenAI's image model.")
    replicate_api_token: str | None = Field(None, description="Replicate's API.")
    replicate_base_url: str = Field(
        "https://api.replicate.com", pattern=_ADDRESS, description="Its address."
    )
    replicate_model: str = Field(
        "black-forest-labs/flux-kontext-pro",
        pattern=r"^[\w.-]+/[\w.-]+(:[0-9a-f]+)?$",
        description="A model that edits pictures: `owner/name`, or `owner/name:version`.",
    )
    replicate_webhook_secret: str | None = Field(
        None,
        pattern=r"^whsec_[A-Za-z0-9+/_-]{16,}=*$",
        description="Signs Replicate's webhooks; without it we only ask from time to time.",
    )
    stability_api_key: str | None = Field(None, description="Stability AI's API.")
    stability_base_url: str = Field(
        "https://api.stability.ai", pattern=_ADDRESS, description="Its address."
    )

    @field_validator("image_fallbacks", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("image_prices", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
            return {model.strip(): price.strip() for model, _, price in pairs}
        return value

    @property
    def image_chain(self) -> list[str]:
        """The providers in the order in which they are asked, each once."""
        return list(dict.fromkeys([self.image_provider, *self.image_fallbacks]))

    def image_faults(self) -> list[str]:
        """What is wrong across these settings."""
        found = []
        for name in self.image_chain:
            if name in _KEYS and not getattr(self, _KEYS[name]):
                where = "IMAGE_PROVIDER" if name == self.image_provider else "IMAGE_FALLBACKS"
                key = _KEYS[name].upper()
                found.append(f"{where} names {name}, which needs {key}: set it, or name another.")
        if any(price < 0 for price in self.image_prices.values()):
            found.append("IMAGE_PRICES has a price below zero.")
        return found
