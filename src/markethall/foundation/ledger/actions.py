"""Writes to the books. Every one of them runs in the caller's transaction and can run twice."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction

from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.errors import HoldSettled, InsufficientFunds
from markethall.foundation.ledger.models import Account, Hold, HoldState
from markethall.foundation.ledger.rules import Posting, transfer, validate
from markethall.kernel import clock, rows
from markethall.kernel.ids import new_id
from markethall.kernel.locking import lock, lock_one

# One statement: the transaction and its entries, in the order of their accounts (the lock
# order). A key that was posted before inserts nothing.
_POSTED = """
WITH posted AS (
    INSERT INTO ledger_transaction (id, key, kind, reference, actor_id, metadata, posted_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (key) DO NOTHING RETURNING id
), entered AS (
    INSERT INTO ledger_entry (transaction_id, account_id, amount)
    SELECT posted.id, side.account_id, side.amount
      FROM posted, jsonb_to_recordset(%s::jsonb) AS side (account_id uuid, amount bigint)
     ORDER BY side.account_id
    RETURNING account_id
)"""
_POST_ID = " SELECT id FROM posted"
# In the same statement, so that a hold costs one round trip.
_HELD_ID = """, held AS (
    INSERT INTO ledger_hold (id, wallet_id, opened_by_id, amount, state)
    SELECT %s, %s, posted.id, %s, 'held' FROM posted RETURNING id
)
SELECT id FROM held"""

# The same for several at once, with the accounts of all in one order.
_POST_ALL = """
WITH posted AS (
    INSERT INTO ledger_transaction (id, key, kind, reference, actor_id, metadata, posted_at)
    SELECT draft.*, %s
      FROM jsonb_to_recordset(%s::jsonb) AS draft (
        id uuid, key text, kind text, reference text, actor_id uuid, metadata jsonb)
    ON CONFLICT (key) DO NOTHING RETURNING id
)
INSERT INTO ledger_entry (transaction_id, account_id, amount)
SELECT posted.id, side.account_id, side.amount
  FROM jsonb_to_recordset(%s::jsonb) AS side (transaction_id uuid, account_id uuid, amount bigint)
  JOIN posted ON posted.id = side.transaction_id
 ORDER BY side.account_id, posted.id
"""

# The floor's check constraint; and a wallet that was never opened has nothing in it.
_NOT_ENOUGH = ("ledger_balance_above_floor", "there is no ledger account")


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction that is to be posted, as ``post`` takes it."""

    key: str
    kind: str
    postings: Sequence[Posting]
    reference: str = ""
    actor_id: uuid.UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def post_all(drafts: Sequence[Draft]) -> None:
    """Post several transactions by one statement; those whose key has been posted before are
    passed over. Raises as ``post`` does, and then none is posted."""
    for draft in drafts:
        validate(draft.postings)
    named = [(new_id(), draft) for draft in drafts]
    heads = [
        {
            "id": id,
            "key": draft.key,
            "kind": draft.kind,
            "reference": draft.reference,
            "actor_id": draft.actor_id,
            "metadata": draft.metadata,
        }
        for id, draft in named
    ]
    sides = [
        {"transaction_id": id, "account_id": each.account.id, "amount": each.amount}
        for id, draft in named
        for each in draft.postings
    ]
    with transaction.atomic(savepoint=False):
        _open_system_accounts(each for draft in drafts for each in draft.postings)
        _run(_POST_ALL, [clock.now(), rows.as_json(heads), rows.as_json(sides)])


def post(
    *,
    key: str,
    kind: str,
    postings: Sequence[Posting],
    reference: str = "",
    actor_id: uuid.UUID | None = None,
    metadata: dict[str, Any] | None = None,
) -> uuid.UUID | None:
    """Post one transaction; returns its id, or None when ``key`` has been posted before.

    Raises Unbalanced, and InsufficientFunds when a wallet would fall below its floor; the
    caller's transaction then rolls back as a whole.
    """
    validate(postings)
    with transaction.atomic(savepoint=False):
        _open_system_accounts(postings)
        return _execute(
            _POSTED + _POST_ID,
            _parameters(
                postings,
                key=key,
                kind=kind,
                reference=reference,
                actor_id=actor_id,
                metadata=metadata,
            ),
        )


def _open_system_accounts(postings: Iterable[Posting]) -> None:
    accounts.ensure_open(each.account for each in postings if each.account.owner_id is None)


def _parameters(
    postings: Sequence[Posting],
    *,
    key: str,
    kind: str,
    reference: str,
    actor_id: uuid.UUID | None,
    metadata: dict[str, Any] | None,
) -> list[Any]:
    return [
        new_id(),
        key,
        kind,
        reference,
        actor_id,
        json.dumps(metadata or {}),
        clock.now(),
        rows.as_json({"account_id": each.account.id, "amount": each.amount} for each in postings),
    ]


def _execute(statement: str, parameters: list[Any]) -> uuid.UUID | None:
    """The id that ``statement`` returns, or None when its key has been posted before."""
    returned = _run(statement, parameters)
    return returned[0][0] if returned else None


def _run(statement: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement, parameters)
        except IntegrityError as error:
            if any(sign in str(error) for sign in _NOT_ENOUGH):
                raise InsufficientFunds from error
            raise
        return cursor.fetchall() if cursor.description else []


def open_wallet(*owner_ids: uuid.UUID) -> None:
    """Open people's wallets and the accounts of their holds, those that are not open yet."""
    accounts.ensure_open(
        account for owner in owner_ids for account in (accounts.wallet(owner), accounts.held(owner))
    )


def grant_credits(
    *,
    user_id: uuid.UUID,
    amount: int,
    kind: str,
    key: str,
    reference: str = "",
    actor_id: uuid.UUID | None = None,
    metadata: dict[str, Any] | None = None,
) -> uuid.UUID | None:
    """Book ``amount`` new credits into a person's wallet (``purchase``, ``bonus``, ``admin``)."""
    open_wallet(user_id)
    return post(
        key=key,
        kind=kind,
        reference=reference,
        actor_id=actor_id,
        metadata=metadata,
        postings=transfer(accounts.issued_credits(), accounts.wallet(user_id), amount),
    )


def credit_grant(
    *,
    user_id: uuid.UUID,
    amount: int,
    kind: str,
    key: str,
    reference: str,
    actor_id: uuid.UUID | None,
    metadata: dict[str, Any],
) -> Draft:
    """The draft of what ``grant_credits`` posts; the wallet must be open."""
    postings = transfer(accounts.issued_credits(), accounts.wallet(user_id), amount)
    return Draft(key, kind, postings, reference, actor_id, metadata)


def take_back_credits(
    *,
    user_id: uuid.UUID,
    amount: int,
    kind: str,
    key: str,
    allow_below_zero: bool = False,
    reference: str = "",
    actor_id: uuid.UUID | None = None,
    metadata: dict[str, Any] | None = None,
) -> uuid.UUID | None:
    """Take ``amount`` credits out of a person's wallet and out of circulation.

    With ``allow_below_zero`` (staff only) the wallet's floor is lowered as far as needed; it
    rises again by itself as the balance recovers, so spending never goes below zero.
    Raises InsufficientFunds otherwise.
    """
    with transaction.atomic(savepoint=False):
        open_wallet(user_id)
        if allow_below_zero:
            _lower_floor(accounts.wallet(user_id), by=amount)
        return post(
            key=key,
            kind=kind,
            reference=reference,
            actor_id=actor_id,
            metadata=metadata,
            postings=transfer(accounts.wallet(user_id), accounts.issued_credits(), amount),
        )


def lock_balance(user_id: uuid.UUID) -> int:
    """Lock a person's wallet and its holds, and return its balance in credits."""
    open_wallet(user_id)
    wallet, held = accounts.wallet(user_id).id, accounts.held(user_id).id
    locked = lock(Account.objects.filter(pk__in=[wallet, held]))
    return next(account.balance or 0 for account in locked if account.pk == wallet)


def open_hold(
    *,
    user_id: uuid.UUID,
    amount: int,
    key: str,
    reference: str = "",
    metadata: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Set ``amount`` credits of a wallet aside; returns the hold's id. Raises InsufficientFunds."""
    wallet = accounts.wallet(user_id)
    postings = transfer(wallet, accounts.held(user_id), amount)
    validate(postings)
    with transaction.atomic(savepoint=False):
        opened = _execute(
            _POSTED + _HELD_ID,
            [
                *_parameters(
                    postings,
                    key=key,
                    kind="deduction",
                    reference=reference,
                    actor_id=user_id,
                    metadata=metadata,
                ),
                new_id(),
                wallet.id,
                amount,
            ],
        )
        return opened or Hold.objects.only("pk").get(opened_by__key=key).pk


def capture_hold(hold_id: uuid.UUID) -> None:
    """Spend what is held. A second call does nothing; raises HoldSettled after a release."""
    _settle(hold_id, HoldState.CAPTURED)


def release_hold(hold_id: uuid.UUID, *, metadata: dict[str, Any] | None = None) -> None:
    """Give back what is held, as type ``refund``. Raises HoldSettled after a capture."""
    _settle(hold_id, HoldState.RELEASED, metadata)


def _settle(hold_id: uuid.UUID, state: HoldState, metadata: dict[str, Any] | None = None) -> None:
    with transaction.atomic(savepoint=False):
        hold = lock_one(Hold.objects.filter(pk=hold_id).select_related("wallet", "opened_by"))
        if hold.state == state:
            return
        if hold.state != HoldState.HELD:
            raise HoldSettled
        owner_id = hold.wallet.owner_id
        if owner_id is None:
            raise ValueError("A hold lies on a wallet, and a wallet has an owner.")
        captured = state == HoldState.CAPTURED
        target = accounts.spent_credits() if captured else accounts.wallet(owner_id)
        settled_by = post(
            key=f"hold:{hold.pk}",
            kind="capture" if captured else "refund",
            reference=hold.opened_by.reference,
            metadata=metadata,
            postings=transfer(accounts.held(owner_id), target, hold.amount),
        )
        Hold.objects.filter(pk=hold.pk).update(state=state, settled_by_id=settled_by)


def _lower_floor(wallet: accounts.AccountRef, *, by: int) -> None:
    account = lock_one(Account.objects.filter(pk=wallet.id))
    lowest = min(0, (account.balance or 0) - by)
    Account.objects.filter(pk=wallet.id, floor__gt=lowest).update(floor=lowest)
