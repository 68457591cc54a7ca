"""Accounts that come by a provider (Google, GitHub, OpenID Connect)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from markethall.foundation.accounts.actions import mark_verified, tell_verified
from markethall.foundation.accounts.events import UserRegistered
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.queries import is_verified
from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.actions import send_mail
from markethall.kernel.events import publish
from markethall.kernel.locking import lock_one


def best_address(addresses: Sequence[Any]) -> Any | None:
    """The address that a provider has verified, its main one first; None when there is none."""
    verified = [address for address in addresses if address.verified]
    return min(verified, key=lambda address: not address.primary, default=None)


def clean_name(data: dict[str, Any]) -> str:
    """A person's name from a provider's fields, without control characters."""
    parts = (data.get("first_name"), data.get("last_name"))
    name = data.get("name") or " ".join(part for part in parts if part)
    return re.sub(r"[\x00-\x1f\x7f]+", " ", str(name)).strip()[:150]


def register(user: User, provider: str, save: Callable[[], None]) -> User:
    """Open the account that ``save`` writes, with an address that the provider has verified."""
    with transaction.atomic():
        save()
        record(
            "auth.register",
            actor_id=user.pk,
            subject_type="user",
            subject_id=user.pk,
            provider=provider,
        )
        publish(UserRegistered(user.pk))
        tell_verified(user, actor_id=user.pk)
    return user


def claim(*, user: User, name: str = "") -> User:
    """Give an account to the person to whom a provider has verified that its address belongs.

    If nobody had verified it here, whoever opened it may be somebody else: their password, tokens
    and second factor go. Does nothing to a verified account.
    """
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        if is_verified(user):
            return user
        user.set_unusable_password()
        user.name = clean_name({"name": name})
        user.save(update_fields=["password", "name"])
        Token.objects.filter(user=user).delete()
        Authenticator.objects.filter(user=user).delete()
        record("auth.claim", actor_id=user.pk, subject_type="user", subject_id=user.pk)
        mark_verified(user, actor_id=user.pk)
    return user


def tell_linked(user: User, provider: str) -> None:
    """``user`` can sign in by ``provider`` from now on: on record, and by mail."""
    with transaction.atomic():
        record(
            "auth.oauth_link",
            actor_id=user.pk,
            subject_type="user",
            subject_id=user.pk,
            provider=provider,
        )
        send_mail(
            "oauth_linked",
            to=user.email,
            user_id=user.pk,
            context={"user": user, "provider": provider},
        )
