from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query

from markethall.foundation.ledger.models import Entry
from markethall.foundation.ledger.queries import balance_of, entry_status, history_of
from markethall.interfaces.api.access import signed_in
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import Listing, Out, Paging, Time, listing, problems
from markethall.kernel.pagination import paginate

routes = router("credits")


class BalanceOut(Out):
    """``balance`` can be spent; ``held`` is set aside for pictures being made."""

    balance: int
    held: int


class CreditEntryOut(Out):
    id: str
    type: Literal["purchase", "bonus", "admin", "deduction", "refund"]
    status: Literal["pending", "completed", "failed"]
    amount: int
    balance: int
    metadata: dict[str, Any]
    created_at: Time

    @classmethod
    def of(cls, entry: Entry) -> CreditEntryOut:
        return cls(
            id=str(entry.pk),
            type=entry.transaction.kind,
            status=entry_status(entry),
            amount=entry.amount,
            balance=entry.balance_after,
            metadata=entry.transaction.metadata,
            created_at=entry.transaction.posted_at,
        )


@routes.get("/balance", auth=signed_in, response={200: BalanceOut, **problems(401)})
def balance(request: HttpRequest) -> Any:
    """The caller's credits."""
    return balance_of(request.user.pk)


@routes.get(
    "/history", auth=signed_in, response={200: Listing[CreditEntryOut], **problems(401, 422)}
)
def history(request: HttpRequest, paging: Query[Paging]) -> Any:
    """The caller's credit history, newest first."""
    return credit_history(request.user.pk, paging)


def credit_history(user_id: UUID, paging: Paging) -> Any:
    """A page of somebody's credit history."""
    page = paginate(history_of(user_id), order=["-id"], limit=paging.limit, cursor=paging.cursor)
    return listing(page, CreditEntryOut.of)
