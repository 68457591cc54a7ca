from __future__ import annotations

import time

from markethall.foundation.platform.models import Setting
from markethall.foundation.platform.rules import PlatformSettings

_GOOD_FOR = 2.0  # seconds; how long another process may not have heard of a change
_kept: tuple[float, PlatformSettings] | None = None


def platform_settings() -> PlatformSettings:
    """The settings of now; at most two seconds old, so that a hot path pays no query for them."""
    global _kept  # noqa: PLW0603
    if _kept is None or time.monotonic() - _kept[0] > _GOOD_FOR:
        _kept = (time.monotonic(), fresh_settings())
    return _kept[1]


def fresh_settings() -> PlatformSettings:
    """The settings as the database has them. A name that is no setting any more is passed over."""
    stored = Setting.objects.filter(name__in=PlatformSettings.model_fields)
    return PlatformSettings(**dict(stored.values_list("name", "value")))


def forget_kept() -> None:
    """Ask the database the next time."""
    global _kept  # noqa: PLW0603
    _kept = None
