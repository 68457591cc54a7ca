from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from house.vendors import KEYS, MODEL, Vendor, replicate_model, vendor
from markethall.content.imaging.providers import replicate as replicate_provider


@pytest.fixture
def server(settings: Any) -> Iterator[Vendor]:
    """All four vendors at one address."""
    replicate_provider._schema.cache_clear()
    with vendor() as server:
        server.lay("GET", f"/v1/models/{MODEL}", replicate_model())
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
            update={
                **KEYS,
                "image_timeout": 5,
                "gemini_base_url": server.url,
                "openai_base_url": f"{server.url}/v1",
                "replicate_base_url": server.url,
                "stability_base_url": server.url,
            }
        )
        yield server
