"""Accounts that come by a provider (Google, GitHub, OpenID Connect)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount import providers
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.db import transaction

from markethall.foundation.accounts.actions import mark_verified, tell_verified
from markethall.foundation.accounts.errors import LastSignIn
from markethall.foundation.accounts.events import UserRegistered
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.queries import is_verified
from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.actions import send_mail
from markethall.kernel.errors import NotFound
from markethall.kernel.events import publish
from markethall.kernel.locking import lock_one
from markethall.kernel.texts import one_line


def best_address(addresses: Sequence[Any]) -> Any | None:
    """The address that a provider has verified, its main one first; None when there is none."""
    verified = [address for address in addresses if address.verified]
    return min(verified, key=lambda address: not address.primary, default=None)


def clean_name(data: dict[str, Any]) -> str:
    """A person's name from a provider's fields, without control characters."""
    parts = (data.get("first_name"), data.get("last_name"))
    name = data.get("name") or " ".join(part for part in parts if part)
    return one_line(str(name))[:150]


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


@dataclass(frozen=True, slots=True)
class Link:
    """An account at a provider that signs somebody in. ``label`` is what it is called there."""

    id: int
    provider: str
    name: str
    label: str
    linked_at: datetime


def links_of(user: User) -> list[Link]:
    """The accounts at providers that sign ``user`` in, the first one first."""
    return [_link(row) for row in SocialAccount.objects.filter(user=user).order_by("pk")]


def _link(row: SocialAccount) -> Link:
    try:
        shown = row.get_provider_account()
        name, label = str(shown.get_brand()["name"]), str(shown)
    except SocialApp.DoesNotExist:
        known = providers.registry.get_class(row.provider)
        name, label = str(known.name if known else row.provider.title()), row.uid
    return Link(row.pk, row.provider, name, label, row.date_joined)


def unlink(*, user: User, link_id: int) -> None:
    """``user`` can no longer sign in by this account at a provider: on record, and by mail.

    Raises NotFound, and LastSignIn for the only one of a person without a password.
    """
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        links = links_of(user)
        link = next((link for link in links if link.id == link_id), None)
        if link is None:
            raise NotFound("Your account is not linked to this one.")
        if len(links) == 1 and not user.has_usable_password():
            raise LastSignIn("Set a password first; then you can unlink it.")
        SocialAccount.objects.filter(pk=link_id).delete()
        _tell("unlink", user, link.name)


def tell_linked(user: User, provider: str) -> None:
    """``user`` can sign in by ``provider`` from now on: on record, and by mail."""
    with transaction.atomic():
        _tell("link", user, provider)


def _tell(act: str, user: User, provider: str) -> None:
    record(
        f"auth.oauth_{act}",
        actor_id=user.pk,
        subject_type="user",
        subject_id=user.pk,
        provider=provider,
    )
    send_mail(
        f"oauth_{act}ed",
        to=user.email,
        user_id=user.pk,
        context={"user": user, "provider": provider},
    )
