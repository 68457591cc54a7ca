"""What staff does to other people's accounts. Every act stands in the audit log."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction

from markethall.foundation.accounts.actions import check_password_strength
from markethall.foundation.accounts.errors import LastSuperAdmin
from markethall.foundation.accounts.events import UserRegistered
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.permissions import GRANTS, Permission, Role, require
from markethall.foundation.audit.actions import record
from markethall.kernel.errors import Forbidden, NotFound
from markethall.kernel.events import publish
from markethall.kernel.locking import lock, lock_one


def person(user_id: uuid.UUID) -> User:
    """Somebody's account; raises NotFound for none, and for one that was erased."""
    user = User.objects.filter(pk=user_id, erased_at=None).first()
    if user is None:
        raise NotFound("There is no such user.")
    return user


def change_user(
    *,
    actor: User,
    user_id: uuid.UUID,
    name: str | None = None,
    phone: str | None = None,
    role: Role | None = None,
    is_active: bool | None = None,
) -> User:
    """Change somebody's account; what is None stays.

    A role needs ``roles.write``; nobody changes their own role or blocks themselves; who may do
    more than the actor is out of their reach; one super admin who can sign in always remains.
    Raises Forbidden, NotFound, LastSuperAdmin.
    """
    wanted = {"name": name, "phone": phone, "role": role, "is_active": is_active}
    with transaction.atomic():
        super_admins = lock(User.objects.filter(role=Role.SUPER_ADMIN, is_active=True))
        person(user_id)
        user = lock_one(User.objects.filter(pk=user_id))
        check_reach(actor=actor, user=user)
        changes = {
            field: value
            for field, value in wanted.items()
            if value is not None and getattr(user, field) != value
        }
        if "role" in changes:
            require(actor, Permission.ROLES_WRITE)
        if actor.pk == user.pk and {"role", "is_active"} & set(changes):
            raise Forbidden("Nobody changes their own role or blocks themselves.")
        if {"role", "is_active"} & set(changes):
            check_not_last(user, super_admins)
        if changes:
            _save(actor, user, changes)
    return user


def check_reach(*, actor: User, user: User) -> None:
    """Raises Forbidden when ``user`` may do what ``actor`` may not."""
    if not GRANTS[Role(user.role)] <= GRANTS[Role(actor.role)]:
        raise Forbidden("This person may do more than you: ask a super admin.")


def check_not_last(user: User, super_admins: list[User] | None = None) -> None:
    """Raises LastSuperAdmin when no other super admin could sign in. Within a transaction."""
    if super_admins is None:
        super_admins = lock(User.objects.filter(role=Role.SUPER_ADMIN, is_active=True))
    if user.role == Role.SUPER_ADMIN and all(other.pk == user.pk for other in super_admins):
        raise LastSuperAdmin


def make_super_admin(*, email: str, password: str, name: str = "") -> tuple[User, bool]:
    """A super admin with a verified address; an account of that address is raised and gets the
    password. Returns the account and whether it was made. Raises Invalid for a weak password."""
    email = email.strip().lower()
    check_password_strength(password, User(email=email, name=name))
    with transaction.atomic():
        user, made = User.objects.get_or_create(email=email, defaults={"name": name})
        user = lock_one(User.objects.filter(pk=user.pk))
        before = "" if made else user.role
        user.set_password(password)
        user.role, user.is_active = Role.SUPER_ADMIN, True
        user.save()
        Token.objects.filter(user=user).delete()
        EmailAddress.objects.update_or_create(
            user=user, email=email, defaults={"verified": True, "primary": True}
        )
        record(
            "user.role_change",
            actor_id=None,
            subject_type="user",
            subject_id=user.pk,
            before=before,
            after=user.role,
            because="create-admin",
        )
        if made:
            publish(UserRegistered(user.pk))
    return user, made


def _save(actor: User, user: User, changes: dict[str, Any]) -> None:
    before = {field: getattr(user, field) for field in changes}
    for field, value in changes.items():
        setattr(user, field, value)
    user.save(update_fields=list(changes))
    if not user.is_active:
        Token.objects.filter(user=user).delete()
    acts = {"role": "user.role_change", "is_active": "user.block"}
    for field in ("role", "is_active"):
        if field in changes:
            act = "user.unblock" if changes.get(field) is True else acts[field]
            record(
                act,
                actor_id=actor.pk,
                subject_type="user",
                subject_id=user.pk,
                before=before[field],
                after=changes[field],
            )
    if {"name", "phone"} & set(changes):
        # Which fields, not their content: the log outlives the person's data.
        record(
            "user.change",
            actor_id=actor.pk,
            subject_type="user",
            subject_id=user.pk,
            fields=sorted({"name", "phone"} & set(changes)),
        )
