"""How the console writes times, money and data."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from markethall.foundation.ledger.models import CREDIT
from markethall.kernel import clock, money

register = template.Library()

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK = 7 * _DAY


@register.simple_tag
def when(at: datetime | None, nothing: str = "–") -> SafeString | str:
    """A time as people say it, the exact one in its title."""
    if at is None:
        return nothing
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        f"{at:%Y-%m-%d %H:%M:%S} UTC",
        relative(at, clock.now()),
    )


def relative(at: datetime, now: datetime) -> str:
    """``at`` seen from ``now``: "3 min ago", "in 2 h", a date when it is further off."""
    away = abs(now - at)
    if away < 5 * timedelta(seconds=1):
        return "now"
    if away >= _WEEK:
        return f"{at:%-d %b}" if at.year == now.year else f"{at:%-d %b %Y}"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if away >= unit:
            said = f"{away // unit} {name}"
            break
    else:
        said = f"{away.seconds} s"
    return f"{said} ago" if at <= now else f"in {said}"


@register.filter
def units(amount: int | None, unit: str) -> str:
    """An amount of the books: money in its currency, or credits."""
    if amount is None:
        return "–"
    if unit == CREDIT:
        return f"{amount:,} credit{'' if abs(amount) == 1 else 's'}".replace("-", "−")
    return str(money.Money(amount, unit)).replace("-", "−")


@register.filter
def signed(amount: int) -> str:
    """A change, with its sign."""
    return f"+{amount:,}" if amount > 0 else f"{amount:,}".replace("-", "−")


@register.filter
def pretty(data: Any) -> str:
    """JSON as people read it."""
    return json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True, default=str)


@register.filter
def milliseconds(value: float | None) -> str:
    """A duration in milliseconds as people read it."""
    if value is None:
        return "–"
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"


@register.filter
def micros(value: int | None) -> str:
    """Micro-USD (millionths of a dollar) as people read it."""
    if value is None:
        return "not known"
    places = 2 if value >= 1_000_000 or value < 500 else 3
    return f"${value / 1_000_000:,.{places}f}"


@register.filter
def share(value: float | None) -> str:
    """A share of one as percent."""
    return "–" if value is None else f"{100 * value:.0f} %"


@register.filter
def percent(basis_points: int) -> str:
    """Ten-thousandths as per cents: 810 is ``8.1``."""
    return f"{basis_points / 100:.2f}".rstrip("0").rstrip(".")


@register.filter
def said(state: str) -> str:
    """The name of a state, in words."""
    return str(state).replace("_", " ").lower()


@register.filter
def short(identifier: object) -> str:
    """The end of a long id, where ids made together differ."""
    return str(identifier)[-8:]


@register.filter
def of(mapping: dict[Any, Any], key: Any) -> Any:
    """The value that a mapping has for a key."""
    return mapping.get(key)


@register.filter
def account(code: str) -> str:
    """An account's code, without its owner's id."""
    kind, _, rest = code.partition(":")
    owner, _, unit = rest.partition(":")
    return f"{kind} {unit}".strip() if len(owner) == 36 else code


@register.filter
def reference(text: str) -> str:
    """A reference with the end of its id."""
    kind, _, subject = text.partition(":")
    return f"{kind} {subject[-8:]}" if subject else text
