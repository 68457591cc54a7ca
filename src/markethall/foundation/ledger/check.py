"""Recompute the books from nothing and report every difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

# Each query returns sentences about what is wrong; no row, no fault.
_CHECKS = {
    "transactions add up to zero in each unit": """
        SELECT format('transaction %s is off by %s %s', e.transaction_id, sum(e.amount), a.unit)
          FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
         GROUP BY e.transaction_id, a.unit HAVING sum(e.amount) <> 0""",
    "every transaction has two entries at least": """
        SELECT format('transaction %s has %s entries', t.id, count(e.id))
          FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id
         GROUP BY t.id HAVING count(e.id) < 2""",
    "balances are the sums of their entries": """
        SELECT format('%s shows %s, its entries sum to %s',
                      a.code, a.balance, coalesce(sum(e.amount), 0))
          FROM ledger_account a LEFT JOIN ledger_entry e ON e.account_id = a.id
         WHERE a.balance IS NOT NULL
         GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0)""",
    "each entry's balance follows from the one before": """
        SELECT format('entry %s of %s says %s after it, not %s', id, account_id, balance_after, sum)
          FROM (SELECT e.id, e.account_id, e.balance_after,
                       sum(e.amount) OVER (PARTITION BY e.account_id ORDER BY e.id)
                  FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
                 WHERE a.balance IS NOT NULL) course
         WHERE balance_after IS DISTINCT FROM sum""",
    "no balance lies below its floor": """
        SELECT format('%s has %s, below its floor %s', code, balance, floor)
          FROM ledger_account WHERE balance < floor""",
    "what is held is the sum of open holds": """
        SELECT format('%s shows %s, open holds sum to %s', h.code, h.balance, coalesce(o.sum, 0))
          FROM ledger_account h
          JOIN ledger_account w ON w.owner_id = h.owner_id AND w.unit = h.unit
                               AND w.code LIKE 'wallet:%'
          LEFT JOIN (SELECT wallet_id, sum(amount) FROM ledger_hold
                      WHERE state = 'held' GROUP BY wallet_id) o ON o.wallet_id = w.id
         WHERE h.code LIKE 'held:%' AND h.balance <> coalesce(o.sum, 0)""",
    "settled holds were settled by a transaction of their amount": """
        SELECT format('hold %s of %s is %s, but its transaction moved %s',
                      h.id, h.amount, h.state, coalesce(sum(e.amount), 0))
          FROM ledger_hold h
          LEFT JOIN ledger_entry e ON e.transaction_id = h.settled_by_id AND e.amount > 0
         WHERE h.state <> 'held'
         GROUP BY h.id HAVING coalesce(sum(e.amount), 0) <> h.amount""",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was checked, and sentences about what is wrong; none when all is well."""

    name: str
    faults: list[str]


def check_names() -> list[str]:
    """What ``check_ledger`` looks at, in its order."""
    return list(_CHECKS)


def check_ledger(limit: int = 20) -> Iterator[CheckResult]:
    """Run every check, one after the other; each names at most ``limit`` faults."""
    for name, query in _CHECKS.items():
        with connection.cursor() as cursor:
            cursor.execute(f"{query} LIMIT {int(limit)}")
            yield CheckResult(name, [row[0] for row in cursor.fetchall()])


def checksum() -> str:
    """A digest of all entries in order: equal books, equal checksum."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(md5(string_agg(md5(concat_ws('|', e.id, e.transaction_id,"
            " e.account_id, e.amount, e.balance_after)), '' ORDER BY e.id)), 'empty')"
            " FROM ledger_entry e"
        )
        return str(cursor.fetchone()[0])
