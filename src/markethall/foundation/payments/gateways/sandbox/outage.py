"""An outage of the sandbox gateway, to see that the shop lives through one.

While it lasts, the shop's calls are not answered and no webhook is ever sent; the gateway's page
goes on taking payments, as a real gateway's does when only the way to the shop is broken. It is
kept in the data folder, so that every process sees it, and measured by the sandbox clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from markethall.foundation.payments.errors import GatewayUnavailable
from markethall.kernel import clock


def begin(for_how_long: timedelta) -> datetime:
    """Let the gateway be down from now on; returns until when."""
    until = clock.now() + for_how_long
    path = _path()
    draft = path.with_suffix(".draft")
    draft.write_text(until.isoformat())
    draft.replace(path)
    return until


def end() -> None:
    """Let the gateway answer again. What was not sent meanwhile is never sent."""
    _path().unlink(missing_ok=True)


def until() -> datetime | None:
    """When the outage ends, or None when there is none."""
    try:
        ends = datetime.fromisoformat(_path().read_text())
    except FileNotFoundError:
        return None
    return ends if clock.now() < ends else None


def refuse() -> None:
    """Raise GatewayUnavailable during an outage."""
    if until():
        raise GatewayUnavailable("The sandbox gateway is down. Try again in a while.")


def _path() -> Path:
    return Path(settings.DATA_DIR) / "gateway-outage.txt"
