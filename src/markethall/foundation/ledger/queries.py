from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.models import CREDIT, Account, Entry, HoldState


@dataclass(frozen=True, slots=True)
class Balance:
    """What can be spent, and what is set aside."""

    balance: int
    held: int


def balance_of(owner_id: uuid.UUID, unit: str = CREDIT) -> Balance:
    """A person's balance; nothing of both for one without accounts."""
    wallet, held = accounts.wallet(owner_id, unit).id, accounts.held(owner_id, unit).id
    found = dict(Account.objects.filter(pk__in=[wallet, held]).values_list("pk", "balance"))
    return Balance(found.get(wallet) or 0, found.get(held) or 0)


def history_of(owner_id: uuid.UUID, unit: str = CREDIT) -> QuerySet[Entry]:
    """The entries of a person's wallet with their transactions and holds; order by ``-id``."""
    return Entry.objects.filter(account_id=accounts.wallet(owner_id, unit).id).select_related(
        "transaction", "transaction__hold"
    )


def entry_status(entry: Entry) -> str:
    """``pending`` while held, ``failed`` when the hold was released, else ``completed``."""
    hold = getattr(entry.transaction, "hold", None)
    if hold is None or hold.state == HoldState.CAPTURED:
        return "completed"
    return "pending" if hold.state == HoldState.HELD else "failed"


def system_balance(account: accounts.AccountRef) -> int:
    """The sum of a system account's entries, in its unit."""
    total = Entry.objects.filter(account_id=account.id).aggregate(total=Sum("amount"))["total"]
    return total or 0


def balances_of(owner_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Balance]:
    """The credits of many, in one query; nothing of both for those without accounts."""
    names = {owner: (accounts.wallet(owner).id, accounts.held(owner).id) for owner in owner_ids}
    wanted = [account for pair in names.values() for account in pair]
    found = dict(Account.objects.filter(pk__in=wanted).values_list("pk", "balance"))
    return {
        owner: Balance(found.get(wallet) or 0, found.get(held) or 0)
        for owner, (wallet, held) in names.items()
    }
