"""The audit log: every auth event and every act of staff, with who, what, when and from where.

Append-only: the database refuses to change or delete a row. Erasure of a person removes their
address from no row, because rows carry ids only, and a network address that is dropped after
its retention period.
"""
