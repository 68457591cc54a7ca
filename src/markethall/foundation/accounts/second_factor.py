"""The second factor: an authenticator app (TOTP, RFC 6238) with recovery codes, by allauth.mfa.

A code is good once: what was used is remembered in the database, for all processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.utils import decrypt
from django.core import signing
from django.db import transaction

from markethall.foundation.accounts import limits
from markethall.foundation.accounts.actions import confirm_password
from markethall.foundation.accounts.errors import (
    SecondFactorRequired,
    SecondFactorState,
    WrongCode,
)
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.actions import send_mail
from markethall.kernel.errors import TooManyRequests
from markethall.kernel.locking import lock_one
from markethall.kernel.throttle import Limit, count_try, uncount_try

_ONCE = Limit(1, timedelta(minutes=5))
_SETUP_SALT = "accounts.second_factor"
_SETUP_LASTS = 30 * 60


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app needs; ``token`` proves to ``confirm`` that we made the secret."""

    secret: str
    url: str
    token: str


def is_on(user: User) -> bool:
    """Whether signing in takes a second factor."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def unused_recovery_codes(user: User) -> int:
    """How many recovery codes are left."""
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(row).get_unused_codes()) if row else 0


def begin(*, user: User) -> Setup:
    """A new secret for the person's app; nothing is on until ``confirm``."""
    if is_on(user):
        raise SecondFactorState("The second factor is on already. Turn it off first.")
    return _setup(user, generate_totp_secret())


def resume(*, user: User, token: str) -> Setup:
    """The set-up that ``token`` was made for; raises SecondFactorState for another's or an old
    one."""
    try:
        signed = signing.loads(token, salt=_SETUP_SALT, max_age=_SETUP_LASTS)
    except signing.BadSignature:
        signed = {}
    if signed.get("user") != str(user.pk):
        raise SecondFactorState("Begin again: this set-up has lapsed.")
    return _setup(user, signed["secret"])


def confirm(*, user: User, token: str, code: str) -> list[str]:
    """Turn the second factor on with a first code of the app; returns the recovery codes.

    Raises WrongCode, SecondFactorState, TooManyRequests.
    """
    secret = resume(user=user, token=token).secret
    _count(user)
    if not validate_totp_code(secret, code) or not _first_use(user, code):
        raise WrongCode
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        if is_on(user):
            raise SecondFactorState("The second factor is on already.")
        TOTP.activate(user, secret)
        codes = _renew_codes(user)
        _tell(user, "on")
    return codes


def turn_off(*, user: User, password: str) -> None:
    """Sign in by password alone from now on. Raises WrongPassword, SecondFactorState."""
    confirm_password(user=user, password=password)
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        if not is_on(user):
            raise SecondFactorState("The second factor is off.")
        Authenticator.objects.filter(user=user).delete()
        _tell(user, "off")


def renew_recovery_codes(*, user: User, password: str) -> list[str]:
    """New recovery codes in place of all old ones. Raises WrongPassword, SecondFactorState."""
    confirm_password(user=user, password=password)
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        if not is_on(user):
            raise SecondFactorState("The second factor is off.")
        codes = _renew_codes(user)
        _tell(user, "codes")
    return codes


def check(*, user: User, code: str | None) -> None:
    """Raises SecondFactorRequired without a code, WrongCode for one that is wrong or used, and
    TooManyRequests."""
    if not code:
        raise SecondFactorRequired
    bucket = _count(user)
    code = code.replace(" ", "").replace("-", "")
    if not (_totp_fits(user, code) or _recovery_code_fits(user, code)):
        record("auth.second_factor_failed", actor_id=None, subject_type="user", subject_id=user.pk)
        raise WrongCode
    uncount_try(bucket)


def qr_svg(url: str) -> str:
    """``url`` as a QR code, an SVG document."""
    return str(get_adapter().build_totp_svg(url))


def _setup(user: User, secret: str) -> Setup:
    token = signing.dumps({"user": str(user.pk), "secret": secret}, salt=_SETUP_SALT)
    return Setup(secret, get_adapter().build_totp_url(user, secret), token)


def _count(user: User) -> str:
    return limits.count("second_factor", user.pk)


def _totp_fits(user: User, code: str) -> bool:
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if row is None or not validate_totp_code(decrypt(row.data["secret"]), code):
        return False
    return _first_use(user, code)


def _first_use(user: User, code: str) -> bool:
    try:
        count_try(f"auth:totp_used:{user.pk}:{code}", _ONCE)
    except TooManyRequests:
        return False
    return True


def _recovery_code_fits(user: User, code: str) -> bool:
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return row is not None and bool(RecoveryCodes(row).validate_code(code))


def _renew_codes(user: User) -> list[str]:
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    return list(RecoveryCodes.activate(user).get_unused_codes())


def _tell(user: User, change: str) -> None:
    record(
        f"auth.second_factor_{change}", actor_id=user.pk, subject_type="user", subject_id=user.pk
    )
    send_mail(
        "second_factor", to=user.email, user_id=user.pk, context={"user": user, "change": change}
    )
