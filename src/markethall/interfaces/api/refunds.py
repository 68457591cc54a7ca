"""Refunds as staff look after them: how each stands, and asking again for one that failed."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query

from markethall.flows import refunds
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.payments import queries
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.comparisons import routes
from markethall.interfaces.api.core import answer_once
from markethall.interfaces.api.refund_shapes import RefundOut, show_refunds
from markethall.interfaces.api.schemas import Listing, Paging, listing, problems
from markethall.kernel.pagination import paginate


class RefundFilter(Paging):
    status: Literal["", "requested", "succeeded", "failed"] = ""


@routes.get(
    "/refunds",
    auth=staff(Permission.PAYMENTS_READ),
    response={200: Listing[RefundOut], **problems(401, 403, 422)},
)
def list_refunds(request: HttpRequest, filters: Query[RefundFilter]) -> Any:
    """Money given back or on its way, newest first. One that failed says why."""
    page = paginate(
        queries.refunds(status=filters.status),
        order=["-id"],
        limit=filters.limit,
        cursor=filters.cursor,
    )
    shown = iter(show_refunds(page.items))
    return listing(page, lambda _: next(shown))


@routes.post(
    "/refunds/{uuid:refund_id}/retry",
    auth=staff(Permission.PAYMENTS_REFUND),
    response={200: RefundOut, **problems(400, 401, 403, 404, 409, 422, 503)},
)
def retry_refund(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """Ask the gateway once more for a refund that failed. The answer tells how it ended."""

    def act() -> tuple[int, RefundOut]:
        return 200, RefundOut.of(refunds.retry(refund_id=refund_id, actor_id=request.user.pk))

    return answer_once(request, act, durable=False)
