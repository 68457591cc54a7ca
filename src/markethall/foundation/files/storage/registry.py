"""The storages by name, each loaded when it is first used."""

from __future__ import annotations

from typing import cast

import structlog
from django.conf import settings
from django.core.files.storage import storages

from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.files.storage.base import FileStore

log = structlog.get_logger(__name__)
_NOT_OURS = ("default", "staticfiles")


def names() -> list[str]:
    """The storages that are configured, the one for new files first."""
    others = (name for name in settings.STORAGES if name not in _NOT_OURS)
    return [chosen(), *sorted(name for name in others if name != chosen())]


def chosen() -> str:
    """The storage that new files go to."""
    return str(settings.FILE_STORE)


def store_named(name: str) -> FileStore:
    """A storage; raises StorageUnavailable when its settings are gone."""
    if name not in settings.STORAGES or name in _NOT_OURS:
        log.error("files lie in a storage that is not configured", storage=name)
        raise StorageUnavailable
    return cast(FileStore, storages[name])


def link_origins() -> list[str]:
    """Where links to files may lead: scheme and host of each storage that signs its own."""
    found = (store_named(name).link_origin() for name in names())
    return sorted({origin for origin in found if origin})
