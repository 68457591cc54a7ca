from __future__ import annotations

import uuid

from allauth.account.models import EmailAddress

from markethall.foundation.accounts.models import User


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
