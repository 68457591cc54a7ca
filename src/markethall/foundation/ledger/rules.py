"""Postings as plain data: built and validated without touching the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markethall.foundation.ledger.accounts import AccountRef
from markethall.foundation.ledger.errors import Unbalanced


@dataclass(frozen=True, slots=True)
class Posting:
    """``amount`` units into an account (out of it when negative)."""

    account: AccountRef
    amount: int


def validate(postings: Sequence[Posting]) -> None:
    """Raises Unbalanced unless there are two at least, none is zero, and each unit sums to zero."""
    if len(postings) < 2 or any(posting.amount == 0 for posting in postings):
        raise Unbalanced("A transaction has two entries at least, and none of them is zero.")
    sums: Counter[str] = Counter()
    for posting in postings:
        sums[posting.account.unit] += posting.amount
    wrong = {unit: total for unit, total in sums.items() if total}
    if wrong:
        raise Unbalanced(f"The entries do not add up to zero: {wrong}.")


def transfer(source: AccountRef, target: AccountRef, amount: int) -> list[Posting]:
    """Move ``amount`` units from one account to another."""
    return [Posting(source, -amount), Posting(target, amount)]
