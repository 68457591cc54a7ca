from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from markethall.content.imaging.providers.base import Provider
from markethall.content.imaging.providers.local import LocalProvider

_PROVIDERS: dict[str, Callable[[], Provider]] = {"local": LocalProvider}


def provider_named(name: str) -> Provider:
    """The provider of that name; raises KeyError for one that is not known."""
    return _PROVIDERS[name]()


def configured() -> str:
    """The name of the provider that new generations go to."""
    return str(settings.ENVIRONMENT.image_provider)
