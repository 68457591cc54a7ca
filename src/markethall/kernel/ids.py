"""Identifiers: time-ordered for rows, unguessable for secrets, short for people."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime

import uuid_utils.compat

# Crockford's base 32: no I, L, O, U, so that a number read aloud is written down right.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): ids made later sort later."""
    return uuid_utils.compat.uuid7()


def floor_id(at: datetime) -> uuid.UUID:
    """The lowest id that ``new_id`` can make at ``at`` (real time): a bound on the primary key
    for "since then". Before 1970 it is the lowest there is."""
    return uuid.UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def human_code(groups: int = 2, length: int = 4) -> str:
    """A random code for people, like ``7K3Q-92XD``: says nothing about how many came before."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(length)) for _ in range(groups)
    )


def new_secret(prefix: str = "") -> str:
    """A secret with 256 bits of entropy, URL-safe, with a prefix that scanners can find."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """The SHA-256 of a high-entropy secret, hexadecimal: what is kept at rest in its place."""
    return hashlib.sha256(secret.encode()).hexdigest()
