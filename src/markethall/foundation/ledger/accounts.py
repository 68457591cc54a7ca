"""The chart of accounts: every code that the books know is made here.

An account's id is derived from its code, so naming an account costs no query.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from markethall.foundation.ledger.models import CREDIT
from markethall.kernel import clock, rows

_NAMESPACE = uuid.UUID("6d61726b-6574-5861-8c6c-6c6564676572")
_known_open: set[uuid.UUID] = set()

# Only what belongs to somebody keeps a running balance.
# It looks before it inserts: an insert that meets an account waits for whoever posts to it.
_OPEN = """
INSERT INTO ledger_account (id, code, unit, owner_id, balance, floor, created_at)
SELECT ref.id, ref.code, ref.unit, ref.owner_id, ref.zero, ref.zero, %s
  FROM (SELECT *, CASE WHEN owner_id IS NOT NULL THEN 0 END AS zero
          FROM jsonb_to_recordset(%s::jsonb)
            AS given (id uuid, code text, unit text, owner_id uuid)) AS ref
 WHERE NOT EXISTS (SELECT 1 FROM ledger_account WHERE id = ref.id)
 ORDER BY ref.id
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account by name. One without an owner is a system account, with no running balance."""

    id: uuid.UUID
    code: str
    unit: str
    owner_id: uuid.UUID | None = None


def wallet(owner_id: uuid.UUID, unit: str = CREDIT) -> AccountRef:
    """A person's or vendor's account that can be spent from; its floor is zero."""
    return _ref(f"wallet:{owner_id}:{unit}", unit, owner_id)


def held(owner_id: uuid.UUID, unit: str = CREDIT) -> AccountRef:
    """Where the holds of a wallet lie."""
    return _ref(f"held:{owner_id}:{unit}", unit, owner_id)


def issued_credits() -> AccountRef:
    """Where credits come from when they are bought or given."""
    return _ref("issued:credits", CREDIT)


def spent_credits() -> AccountRef:
    """Where spent credits go."""
    return _ref("spent:credits", CREDIT)


def gateway(name: str, currency: str) -> AccountRef:
    """The money that lies at a payment gateway."""
    return _ref(f"gateway:{name}:{currency}", currency)


def sales(storefront: str, currency: str) -> AccountRef:
    """A storefront's income; negative, as income is in double entry."""
    return _ref(f"sales:{storefront}:{currency}", currency)


def owed(currency: str) -> AccountRef:
    """Money that came without a cause and is owed back to its payers."""
    return _ref(f"owed:{currency}", currency)


def disputed(currency: str) -> AccountRef:
    """Money that payers' banks have taken, until it is decided whose it is."""
    return _ref(f"disputed:{currency}", currency)


def ensure_open(refs: Iterable[AccountRef]) -> None:
    """Open the accounts that are not yet. System accounts known to be open cost no query."""
    missing = list(dict.fromkeys(ref for ref in refs if ref.id not in _known_open))
    if not missing:
        return
    given = [
        {"id": ref.id, "code": ref.code, "unit": ref.unit, "owner_id": ref.owner_id}
        for ref in missing
    ]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [clock.now(), rows.as_json(given)])
    system = {ref.id for ref in missing if ref.owner_id is None}
    transaction.on_commit(lambda: _known_open.update(system))


def forget_known() -> None:
    """Forget which system accounts are open, as after the database was emptied."""
    _known_open.clear()


def _ref(code: str, unit: str, owner_id: uuid.UUID | None = None) -> AccountRef:
    return AccountRef(uuid.uuid5(_NAMESPACE, code), code, unit, owner_id)
