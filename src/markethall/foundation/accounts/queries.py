from __future__ import annotations

import uuid
from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, QuerySet

from markethall.foundation.accounts.models import User

_TRIGRAM = 3  # characters; a shorter part is looked for from the newest account on


def is_verified(user: User) -> bool:
    """Whether the person has proved that the address is theirs."""
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())


def verified_among(user_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Those of ``user_ids`` whose address is verified, in one query."""
    return set(
        EmailAddress.objects.filter(user_id__in=user_ids, verified=True, primary=True).values_list(
            "user_id", flat=True
        )
    )


def user_by_email(email: str) -> User | None:
    """The account of an address, in whatever case it is written."""
    return User.objects.filter(email=email.strip().lower(), erased_at=None).first()


def people(*, search: str = "", role: str = "", state: str = "") -> QuerySet[User]:
    """Accounts whose address contains ``search``, in any case, and whose role is ``role``.

    ``state`` is ``active`` (may sign in), ``unverified``, ``suspended`` or ``erased``; erased
    ones are left out otherwise.
    """
    found = _in_state(state)
    if role:
        found = found.filter(role=role)
    part = search.replace("\x00", "").strip().lower()
    if not part:
        return found
    if len(part) >= _TRIGRAM:
        found = found.extra(
            where=["accounts_trigrams(accounts_user.email::text) @> accounts_trigrams(%s)"],
            params=[part],
        )
    return found.filter(email__contains=part)


def _in_state(state: str) -> QuerySet[User]:
    if state == "erased":
        return User.objects.exclude(erased_at=None)
    found = User.objects.filter(erased_at=None)
    if state in {"active", "suspended"}:
        return found.filter(is_active=state == "active")
    if state == "unverified":
        proved = EmailAddress.objects.filter(user=OuterRef("pk"), primary=True, verified=True)
        return found.filter(~Exists(proved))
    return found


def emails_of(user_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """The addresses of people by id, in one query."""
    wanted = {user_id for user_id in user_ids if user_id}
    if not wanted:
        return {}
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "email"))
