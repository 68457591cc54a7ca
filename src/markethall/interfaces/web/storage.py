"""Static files: hashed names that browsers keep for ever, and scripts that import by them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Assets(CompressedManifestStaticFilesStorage):
    """Every reference is rewritten to the hashed name, ``import`` in scripts included."""

    support_js_module_import_aggregation = True
