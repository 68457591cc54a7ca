"""Sessions and mailed links grow old by Markethall's clock, so that a turned one ends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.models import Session
from django.core import signing

from markethall.kernel import clock


class SessionStore(DatabaseSessions):
    """A browser's session, in the database."""

    def get_expiry_age(self, **at: Any) -> int:
        at.setdefault("modification", clock.now())
        return int(super().get_expiry_age(**at))

    def get_expiry_date(self, **at: Any) -> datetime:
        at.setdefault("modification", clock.now())
        return super().get_expiry_date(**at)

    def _get_session_from_db(self) -> Session | None:
        alive = Session.objects.filter(session_key=self.session_key, expire_date__gt=clock.now())
        session = alive.first()
        if session is None:
            self._session_key = None
        return session


class ResetTokens(EmailAwarePasswordResetTokenGenerator):  # type: ignore[misc]
    """Django's tokens of a password reset."""

    def _now(self) -> datetime:
        return clock.now().replace(tzinfo=None)


class LinkSigner(signing.TimestampSigner):
    """Signs what a mailed link says, with the time of it."""

    def timestamp(self) -> str:
        return signing.b62_encode(int(clock.now().timestamp()))

    def unsign(self, value: str, max_age: float | timedelta | None = None) -> str:
        """What was signed; raises BadSignature, also beyond ``max_age`` (seconds)."""
        text = super().unsign(value)
        if max_age is not None:
            limit = max_age if isinstance(max_age, timedelta) else timedelta(seconds=max_age)
            signed = signing.b62_decode(value.rsplit(self.sep, 2)[1])
            if clock.now() - datetime.fromtimestamp(signed, UTC) > limit:
                raise signing.SignatureExpired("This link is too old.")
        return text
