"""A hall with other storages than the folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markethall.config.storage import StorageSettings, file_stores


def use_storage(settings: Any, tmp_path: Path, name: str, **variables: str) -> None:
    """As if a hall had started with these variables."""
    lowered = {key.lower(): value for key, value in variables.items()}
    stores = file_stores(StorageSettings(storage=name, **lowered), str(tmp_path / "files"))
    settings.STORAGES = {"staticfiles": settings.STORAGES["staticfiles"], **stores}
    settings.FILE_STORE = name
