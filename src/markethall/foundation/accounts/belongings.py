"""What a person keeps with their account: settings, addresses, API keys."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from markethall.foundation.accounts.errors import TooMany
from markethall.foundation.accounts.models import Address, Token, User, UserSettings
from markethall.foundation.accounts.tokens import issue_token, revoke_token
from markethall.foundation.audit.actions import record
from markethall.kernel.errors import Invalid, NotFound
from markethall.kernel.locking import lock_one
from markethall.kernel.texts import one_line

MAX_ADDRESSES = 50
MAX_API_KEYS = 20


def settings_of(user_id: uuid.UUID) -> UserSettings:
    """Somebody's settings; the defaults for who has never changed any."""
    return UserSettings.objects.filter(pk=user_id).first() or UserSettings(user_id=user_id)


def change_settings(*, user: User, **changes: Any) -> UserSettings:
    """Change one's settings; what is not named stays."""
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        settings = settings_of(user.pk)
        for name, value in changes.items():
            setattr(settings, name, value)
        settings.save()
    return settings


def add_address(*, user: User, **fields: Any) -> Address:
    """Keep an address; the first of its kind is the default. Raises TooMany, Invalid."""
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        others = Address.objects.filter(user=user)
        if others.count() >= MAX_ADDRESSES:
            raise TooMany(f"An account keeps {MAX_ADDRESSES} addresses. Remove one first.")
        same_kind = others.filter(kind=fields["kind"])
        fields["is_default"] = fields.get("is_default") or not same_kind.exists()
        fields = _readable(fields)
        if fields["is_default"]:
            same_kind.update(is_default=False)
        return Address.objects.create(user=user, **fields)


def keep_address(*, user: User, **fields: Any) -> None:
    """Keep an address unless the same is kept already, or there is no room for it."""
    if Address.objects.filter(user=user, **fields).exists():
        return
    try:
        add_address(user=user, **fields)
    except TooMany:
        return


def change_address(*, user: User, address_id: uuid.UUID, **fields: Any) -> Address:
    """Replace an address of one's own. Raises NotFound, Invalid."""
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        address = _own_address(user, address_id)
        if fields.get("is_default"):
            others = Address.objects.filter(user=user, kind=fields["kind"])
            others.exclude(pk=address_id).update(is_default=False)
        elif fields["kind"] == address.kind:
            # There is always a default: another address takes its place, not none.
            fields["is_default"] = address.is_default
        for name, value in _readable(fields).items():
            setattr(address, name, value)
        address.save()
    return address


def _readable(fields: dict[str, Any]) -> dict[str, Any]:
    tidy = {name: one_line(text) if type(text) is str else text for name, text in fields.items()}
    for name in ("name", "line1", "city"):
        if tidy.get(name) == "" and fields[name]:
            raise Invalid.field(name, "Write something that can be read.")
    return tidy


def remove_address(*, user: User, address_id: uuid.UUID) -> None:
    """Forget an address of one's own; another of its kind becomes the default. Raises NotFound."""
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        address = _own_address(user, address_id)
        kind, was_default = address.kind, address.is_default
        address.delete()
        if was_default:
            heir = Address.objects.filter(user=user, kind=kind).order_by("-pk").first()
            if heir:
                Address.objects.filter(pk=heir.pk).update(is_default=True)


def make_api_key(*, user: User, name: str) -> tuple[Token, str]:
    """A personal API key; returns its row and the secret, which is shown this once."""
    with transaction.atomic():
        lock_one(User.objects.filter(pk=user.pk))
        if api_keys(user).count() >= MAX_API_KEYS:
            raise TooMany(f"An account has {MAX_API_KEYS} API keys at most. Revoke one first.")
        token, secret = issue_token(user, Token.Kind.API_KEY, name)
        record("auth.api_key_made", actor_id=user.pk, subject_type="api_key", subject_id=token.pk)
    return token, secret


def api_keys(user: User) -> Any:
    """The API keys of somebody, newest first."""
    return Token.objects.filter(user=user, kind=Token.Kind.API_KEY).order_by("-pk")


def revoke_api_key(*, user: User, key_id: uuid.UUID) -> None:
    """End an API key of one's own at once. Raises NotFound."""
    with transaction.atomic():
        if not api_keys(user).filter(pk=key_id).exists() or not revoke_token(user, key_id):
            raise NotFound("There is no such API key.")
        record("auth.api_key_revoked", actor_id=user.pk, subject_type="api_key", subject_id=key_id)


def _own_address(user: User, address_id: uuid.UUID) -> Address:
    address = Address.objects.filter(user=user, pk=address_id).first()
    if address is None:
        raise NotFound("There is no such address.")
    return address
