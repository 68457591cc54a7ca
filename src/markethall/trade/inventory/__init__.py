"""What there is of each variant, and whom it is kept for.

What always holds: reserved is the sum of what open reservations hold; a level is never below what
is reserved, nor below zero; every change of a level is recorded with why and who. A reservation
names its order by reference: stock knows no orders. Lock taken: stock items, by primary key, after
the order and before the ledger; reservations change only under the lock of their item.
"""
