from __future__ import annotations

from markethall.kernel.errors import Conflict, Problem


class InsufficientFunds(Problem):
    """A wallet would fall below its floor."""

    status, code, title = 402, "insufficient_funds", "There is not enough in this account"


class HoldSettled(Conflict):
    code, title = "hold_settled", "This hold has been captured or released already"


class Unbalanced(ValueError):
    """Postings of one transaction that do not add up to zero in each unit."""
