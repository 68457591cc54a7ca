"""Signing in and out: who may, and what is written down of it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from markethall.foundation.accounts import limits, second_factor
from markethall.foundation.accounts.actions import confirm_password, send_verification
from markethall.foundation.accounts.errors import (
    EmailUnverified,
    InvalidCredentials,
    SignInAgain,
)
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.queries import is_verified
from markethall.foundation.accounts.tokens import issue_token
from markethall.foundation.audit.actions import record
from markethall.kernel import clock
from markethall.kernel.ids import digest
from markethall.kernel.throttle import uncount_try

RECENT = timedelta(minutes=10)


def check_credentials(*, email: str, password: str) -> User:
    """The person of ``email`` and ``password``, whose address is verified.

    An unknown address and a wrong password cost the same work and raise the same
    InvalidCredentials. Raises EmailUnverified (the link is mailed again), TooManyRequests.
    """
    email = email.strip().lower()
    bucket = limits.count("login", email)
    user = auth.authenticate(None, email=email, password=password)
    if not isinstance(user, User):
        record("auth.login_failed", actor_id=None, subject_type="address", subject_id=digest(email))
        raise InvalidCredentials
    uncount_try(bucket)
    if not is_verified(user):
        send_verification(user)
        raise EmailUnverified("We have sent the link again: open it, then sign in.")
    return user


def sign_in(*, email: str, password: str, code: str | None = None) -> User:
    """Password and, where one is set up, second factor. Raises as ``check_credentials`` does, and
    SecondFactorRequired, WrongCode."""
    user = check_credentials(email=email, password=password)
    if second_factor.is_on(user):
        second_factor.check(user=user, code=code)
    return user


def start_token(user: User) -> tuple[Token, str]:
    """A bearer token for a person who has just signed in, on record."""
    with transaction.atomic():
        token, secret = issue_token(user, Token.Kind.SESSION)
        record_sign_in(user)
    return token, secret


def record_sign_in(user: User) -> None:
    """Somebody has signed in."""
    record("auth.login", actor_id=user.pk, subject_type="user", subject_id=user.pk)


def start_session(request: HttpRequest, user: User, token: Token) -> None:
    """Sign ``user`` in with a session cookie of 7 days as well; ``token`` ends with it."""
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session["token"] = str(token.pk)


def signed_in_recently(user: User, token: Token | None = None) -> bool:
    """Whether somebody signed in just now: with ``token`` when one was used, else with their
    session. For those without a password it stands in for asking it."""
    if token:
        fresh = clock.now() - token.created_at < RECENT
        return token.kind == Token.Kind.SESSION and fresh
    return user.last_login is not None and clock.now() - user.last_login < RECENT + clock.offset()


def confirm_identity(*, user: User, password: str, token: Token | None = None) -> None:
    """Make sure that it is ``user`` who asks: by the password, and for who has none by a recent
    sign-in. Raises WrongPassword, SignInAgain, TooManyRequests."""
    if user.has_usable_password():
        confirm_password(user=user, password=password)
    elif not signed_in_recently(user, token):
        raise SignInAgain("Sign in once more, then try again within ten minutes.")


def sign_out(request: HttpRequest, token: Token | None = None) -> None:
    """End the session of ``request`` and the bearer token that belongs to it or was used."""
    session_user = auth.get_user(request)
    user = token.user if token else session_user
    if not isinstance(user, User):
        return
    ending = {str(token.pk)} if token and token.kind == Token.Kind.SESSION else set()
    if session_user.pk == user.pk:
        ending |= {request.session["token"]} if "token" in request.session else set()
        auth.logout(request)
    with transaction.atomic():
        Token.objects.filter(user=user, pk__in=ending).delete()
        record("auth.logout", actor_id=user.pk, subject_type="user", subject_id=user.pk)
