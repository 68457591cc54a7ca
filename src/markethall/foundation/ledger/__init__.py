"""The books: append-only double entry in any unit, money and credits alike.

What always holds, guarded by the database itself:
- the entries of a transaction add up to zero in each unit (deferred constraint trigger);
- transactions and entries are never changed or deleted (trigger);
- a balance changes with an entry only (trigger), and never lies below its floor (check);
- a transaction's ``key`` is unique: posting twice posts once.

Accounts of a person or a vendor keep a running balance; system accounts (gateway, sales,
issued credits) keep none, so that no row is hot. Locks taken: ledger accounts, by primary key,
by the entries' insert itself. The ledger knows no orders: it carries a ``reference``.
"""
