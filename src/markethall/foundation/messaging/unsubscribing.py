"""The signed link by which a reader ends a kind of mail, with one click (RFC 8058)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from markethall.foundation.messaging.rules import STOPPABLE, Kind

_SALT = "messaging.unsubscribe"


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose wish it is, and which mails it is about."""

    user_id: uuid.UUID
    kind: Kind


def unsubscribe_link(user_id: uuid.UUID, kind: Kind) -> str:
    """The address that ends mails of ``kind`` to somebody. It does not expire: an old mail is
    as good a place to end them as a new one."""
    token = signing.dumps([user_id.hex, kind.value], salt=_SALT)
    return f"{settings.SITE_URL}/unsubscribe/{token}"


def read_wish(token: str) -> Wish | None:
    """What the end of such an address says; None for one that we did not make."""
    try:
        person, kind = signing.loads(token, salt=_SALT)
        wish = Wish(uuid.UUID(person), Kind(kind))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return wish if wish.kind in STOPPABLE else None
