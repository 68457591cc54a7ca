"""Reads over the books as a whole: what was posted, what lies where, what moved on which day."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet, Sum

from markethall.foundation.ledger.models import Account, BookCheck, Entry, Transaction
from markethall.kernel.pagination import made_between


@dataclass(frozen=True, slots=True)
class DayFlow:
    """What transactions of one kind moved into accounts of one unit on one day."""

    day: date
    kind: str
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class SystemTotal:
    """The sum of a system account's entries, in its unit."""

    code: str
    unit: str
    amount: int


def transactions(
    *,
    kind: str = "",
    reference: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Transaction]:
    """Transactions that match every given filter; order by ``-id``. ``until`` is excluded."""
    found = Transaction.objects.all()
    if kind:
        found = found.filter(kind=kind)
    if reference:
        found = found.filter(reference=reference)
    if since:
        found = found.filter(posted_at__gte=since)
    if until:
        found = found.filter(posted_at__lt=until)
    if since or until:
        found = found.filter(made_between(since, until))
    return found


def entries_of(transaction_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Entry]]:
    """The entries of transactions with their accounts, in one query."""
    found: dict[uuid.UUID, list[Entry]] = {}
    rows = Entry.objects.filter(transaction_id__in=list(transaction_ids)).select_related("account")
    for entry in rows.order_by("id"):
        found.setdefault(entry.transaction_id, []).append(entry)
    return found


def statement_of(account_id: uuid.UUID) -> QuerySet[Entry]:
    """The entries of an account with their transactions; order by ``-id``."""
    return Entry.objects.filter(account_id=account_id).select_related("transaction")


def accounts_matching(code: str = "") -> QuerySet[Account]:
    """Accounts whose code begins with ``code``; order by ``code``."""
    code = code.replace("\x00", "").strip()
    return Account.objects.filter(code__startswith=code) if code else Account.objects.all()


def system_totals() -> list[SystemTotal]:
    """What lies at every system account. Reads all entries: keep the answer for a while."""
    rows = (
        Entry.objects.filter(account__balance__isnull=True)
        .values("account__code", "account__unit")
        .annotate(total=Sum("amount"))
        .order_by("account__code")
    )
    return [SystemTotal(r["account__code"], r["account__unit"], r["total"]) for r in rows]


def flows_by_day(kinds: Sequence[str], *, since: datetime) -> list[DayFlow]:
    """What transactions of ``kinds`` moved into gateways (money) and in credits, by UTC day.

    Money given back is negative. Reads what was posted since then: keep the answer for a while.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (t.posted_at AT TIME ZONE 'UTC')::date, t.kind, a.unit, sum(e.amount)::bigint"
            "  FROM ledger_transaction t"
            "  JOIN ledger_entry e ON e.transaction_id = t.id"
            "  JOIN ledger_account a ON a.id = e.account_id"
            " WHERE t.kind = ANY(%s) AND t.posted_at >= %s"
            "   AND (a.code LIKE 'gateway:%%' OR a.code IN ('issued:credits', 'spent:credits'))"
            " GROUP BY 1, 2, 3 ORDER BY 1",
            [list(kinds), since],
        )
        return [DayFlow(*row) for row in cursor.fetchall()]


def last_check() -> BookCheck | None:
    """The check of the books that was asked for last."""
    return BookCheck.objects.order_by("-id").first()


def last_finished_check() -> BookCheck | None:
    """The check of the books that ended last."""
    return BookCheck.objects.exclude(finished_at=None).order_by("-id").first()
