"""Rate limits of signing in, and of what needs no account: the one table.

Each act is counted by network address and, where it names an account, by account. What a whole
office or a test run shares (the network address) is multiplied by ``AUTH_LIMIT_FACTOR``; what
guards one account is the same everywhere.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from markethall.foundation.audit.actions import current_ip
from markethall.kernel.errors import TooManyRequests
from markethall.kernel.ids import digest
from markethall.kernel.throttle import Limit, count_both, count_try

_MINUTE, _QUARTER, _HOUR = timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ActLimits:
    """How often an act may be tried from one network address, and on one account."""

    by_address: Limit
    by_account: Limit | None = None


LIMITS: dict[str, ActLimits] = {
    "register": ActLimits(Limit(60, _HOUR), Limit(5, _HOUR)),
    # By account only wrong passwords count, wherever they come from.
    "login": ActLimits(Limit(60, _QUARTER), Limit(10, _QUARTER)),
    "second_factor": ActLimits(Limit(60, _QUARTER), Limit(10, _QUARTER)),
    "verify": ActLimits(Limit(60, _HOUR)),
    "verification_mail": ActLimits(Limit(60, _HOUR), Limit(5, _HOUR)),
    "forgot": ActLimits(Limit(30, _HOUR), Limit(5, _HOUR)),
    "reset": ActLimits(Limit(30, _HOUR), Limit(10, _HOUR)),
    "oauth": ActLimits(Limit(60, _QUARTER)),
    # Confirming one's own password, to change it or the second factor.
    "password": ActLimits(Limit(60, _QUARTER), Limit(10, _QUARTER)),
    # By account only codes that cannot be used count.
    "voucher": ActLimits(Limit(120, _HOUR), Limit(15, _HOUR)),
    # By account: a guest's address, which gets the mails.
    "checkout": ActLimits(Limit(120, _HOUR), Limit(30, _HOUR)),
    "session": ActLimits(Limit(600, _MINUTE)),
    "export": ActLimits(Limit(600, _HOUR), Limit(10, _HOUR)),
    # What anybody may send without an account.
    "bespoke": ActLimits(Limit(30, _HOUR), Limit(10, _HOUR)),
    # By account: an address that asks for its links anew.
    "bespoke_link": ActLimits(Limit(30, _HOUR), Limit(3, _HOUR)),
    "reference_picture": ActLimits(Limit(60, _HOUR)),
    "wish": ActLimits(Limit(60, _MINUTE)),
    "product_view": ActLimits(Limit(600, _MINUTE)),
    "portal": ActLimits(Limit(600, _HOUR), Limit(30, _HOUR)),
}


def count_by_address(act: str) -> None:
    """Count one try of ``act`` from the caller's network; raises TooManyRequests."""
    count_try(*_by_address(act))


def count(act: str, account: object) -> str:
    """Count one try of ``act`` from the caller's network and, where that has room, on ``account``;
    raises TooManyRequests. One statement. Returns the account's bucket."""
    by_account = _by_account(act, account)
    count_both(_by_address(act), by_account)
    return by_account[0]


def count_by_account(act: str, account: object) -> str:
    """Count one try of ``act`` on ``account`` (its id or address); raises TooManyRequests.

    Whether there is such an account makes no difference. Returns the bucket.
    """
    by_account = _by_account(act, account)
    count_try(*by_account)
    return by_account[0]


def bucket(act: str, account: object) -> str:
    """Where the tries of ``act`` on ``account`` are counted."""
    return f"auth:{act}:on:{digest(str(account).strip().lower())}"


def within(act: str, account: object) -> bool:
    """Count one try; False beyond the limit, for what is then quietly left out."""
    try:
        count_by_account(act, account)
    except TooManyRequests:
        return False
    return True


def _by_address(act: str) -> tuple[str, Limit]:
    limit = LIMITS[act].by_address
    wider = Limit(limit.count * settings.AUTH_LIMIT_FACTOR, limit.per)
    return f"auth:{act}:from:{_network(current_ip.get())}", wider


def _by_account(act: str, account: object) -> tuple[str, Limit]:
    limit = LIMITS[act].by_account
    if limit is None:
        raise ValueError(f"{act} has no limit by account.")
    return bucket(act, account), limit


def _network(address: str | None) -> str:
    """One caller: an IPv4 address, or the /64 that one connection gets with IPv6."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
