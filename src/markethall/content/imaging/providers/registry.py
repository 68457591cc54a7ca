"""Providers by name. An SDK takes a second to load, so each file is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from django.conf import settings

from markethall.content.imaging.providers.base import Provider, ProviderMisconfigured

_CLASSES = {
    "local": "LocalProvider",
    "gemini": "GeminiProvider",
    "openai": "OpenAIProvider",
    "replicate": "ReplicateProvider",
    "stability": "StabilityProvider",
}


def provider_named(name: str) -> Provider:
    """The provider of that name. Raises KeyError for one that is not known, and
    ProviderMisconfigured for one that has no key."""
    class_name = _CLASSES[name]
    module = import_module(f"markethall.content.imaging.providers.{name}")
    make: Callable[[], Provider] = getattr(module, class_name)
    return make()


def configured() -> str:
    """The name of the provider that new generations go to."""
    return str(settings.ENVIRONMENT.image_provider)


def chain() -> list[str]:
    """Every provider that may be asked, in order."""
    return list(settings.ENVIRONMENT.image_chain)


def key_of(secret: str | None, name: str) -> str:
    """A provider's key. Raises ProviderMisconfigured when there is none, as for a generation
    that an earlier configuration began."""
    if not secret:
        raise ProviderMisconfigured(f"{name} is not set")
    return secret
