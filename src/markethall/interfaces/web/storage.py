"""Static files: hashed names that browsers keep for ever, and scripts that import by them."""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Assets(CompressedManifestStaticFilesStorage):
    """Every reference is rewritten to the hashed name, ``import`` in scripts included."""

    support_js_module_import_aggregation = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._addresses: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """The address of a file, looked up once: a page names some of them a hundred times."""
        if force or not self.hashed_files:
            return str(super().url(name, force))
        found = self._addresses.get(name)
        if found is None:
            found = self._addresses[name] = str(super().url(name, force))
        return found
