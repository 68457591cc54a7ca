from __future__ import annotations

import uuid

from allauth.account.models import EmailAddress
from django.db.models import QuerySet

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


def people(*, search: str = "", role: str = "") -> QuerySet[User]:
    """Accounts whose address contains ``search``, in any case, and whose role is ``role``."""
    found = User.objects.filter(erased_at=None)
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
