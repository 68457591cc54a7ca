"""An authenticator app for tests: RFC 6238 by its own arithmetic."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time

from markethall.foundation.accounts import second_factor
from markethall.foundation.accounts.models import User


def code_for(secret: str, steps: int = 0) -> str:
    """The six digits that an app shows for ``secret``, ``steps`` half minutes from now."""
    counter = int(time.time()) // 30 + steps
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = mac[-1] & 15
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def turn_on(user: User) -> str:
    """Turn the second factor of ``user`` on; the secret. The present code is left unused, and all
    that come after it."""
    setup = second_factor.begin(user=user)
    second_factor.confirm(user=user, token=setup.token, code=code_for(setup.secret, -1))
    return setup.secret
