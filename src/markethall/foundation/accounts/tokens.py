"""Bearer tokens: made once, shown once, kept as a digest, dead with the password they came by."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import cache

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection
from django.db.models import Model

from markethall.foundation.accounts.models import Token, User
from markethall.kernel import clock
from markethall.kernel.ids import digest, new_secret

SESSION_LENGTH = timedelta(days=7)
_USE_RECORDED_EVERY = timedelta(minutes=10)


def issue_token(user: User, kind: Token.Kind, name: str = "") -> tuple[Token, str]:
    """Make a token; returns its row and the secret, which is shown this once."""
    secret = new_secret("mh_live_" if kind == Token.Kind.API_KEY else "mh_sess_")
    now = clock.now()
    token = Token.objects.create(
        user=user,
        kind=kind,
        name=name,
        hint=secret[:12],
        digest=digest(secret),
        password_mark=_password_mark(user),
        created_at=now,
        expires_at=now + SESSION_LENGTH if kind == Token.Kind.SESSION else None,
    )
    return token, secret


def authenticate_token(secret: str) -> Token | None:
    """The live token of ``secret`` with its user, or None."""
    token = _token_of(digest(secret))
    if token is None or not token.user.is_active:
        return None
    now = clock.now()
    if token.expires_at and token.expires_at <= now:
        return None
    if token.password_mark != _password_mark(token.user):
        return None
    if token.last_used_at is None or now - token.last_used_at > _USE_RECORDED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke_token(user: User, token_id: uuid.UUID) -> bool:
    """Delete a token of ``user``; False when there is none of that id."""
    return Token.objects.filter(user=user, pk=token_id).delete()[0] > 0


def revoke_expired() -> int:
    """Delete tokens past their end; returns how many."""
    return Token.objects.filter(expires_at__lt=clock.now()).delete()[0]


def _token_of(secret_digest: str) -> Token | None:
    """A token with its user. Every API request asks this: without the ORM's compiler it costs a
    quarter less of the request."""
    token_fields, user_fields = _columns(Token), _columns(User)
    with connection.cursor() as cursor:
        cursor.execute(_lookup(), [secret_digest])
        row = cursor.fetchone()
    if row is None:
        return None
    token = Token.from_db("default", token_fields, row[: len(token_fields)])
    token.user = User.from_db("default", user_fields, row[len(token_fields) :])
    return token


@cache
def _lookup() -> str:
    wanted = [f"t.{name}" for name in _columns(Token)] + [f"u.{name}" for name in _columns(User)]
    return (
        f"SELECT {', '.join(wanted)} FROM accounts_token t"  # noqa: S608
        " JOIN accounts_user u ON u.id = t.user_id WHERE t.digest = %s"
    )


@cache
def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _password_mark(user: User) -> str:
    """Changes with every change of the password, and tells nothing about it."""
    password = user.password
    return digest("none" if password.startswith(UNUSABLE_PASSWORD_PREFIX) else password)
