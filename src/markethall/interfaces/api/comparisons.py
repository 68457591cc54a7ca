"""The gateways' money against the books, for staff."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.flows import comparison as flow
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.reconciliation.models import ComparedDay, Comparison, Difference
from markethall.foundation.reconciliation.queries import comparison, comparisons
from markethall.foundation.reconciliation.rules import EXPLANATIONS, HEALABLE
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.core import answer_once
from markethall.interfaces.api.payments import routes
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Moment,
    Money,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.kernel.money import Money as KernelMoney
from markethall.kernel.pagination import paginate

DifferenceReason = Literal[
    "not_booked",
    "charged_twice",
    "other_amount",
    "unknown_charge",
    "not_at_gateway",
    "refund_not_booked",
    "refund_other_amount",
    "unknown_refund",
    "refund_not_at_gateway",
]


class GatewayAnswer(Out):
    """Whether a gateway could be asked, and what came of it."""

    name: str
    answered: bool
    detail: str


class ComparedDayOut(Out):
    """What moved at a gateway in one currency on one UTC day, there and in the books."""

    gateway: str
    day: date
    charged_there: Money
    charged_here: Money
    refunded_there: Money
    refunded_here: Money

    @classmethod
    def of(cls, row: ComparedDay) -> ComparedDayOut:
        def money(amount: int) -> Money:
            return Money.of(KernelMoney(amount, row.currency))

        return cls(
            gateway=row.gateway,
            day=row.day,
            charged_there=money(row.charged_there),
            charged_here=money(row.charged_here),
            refunded_there=money(row.refunded_there),
            refunded_here=money(row.refunded_here),
        )


class DifferenceOut(Out):
    """One item on which a gateway and the books differ; ``there`` and ``here`` are missing where
    that side has nothing."""

    id: UUID
    gateway: str
    day: date
    reason: DifferenceReason
    explanation: str
    ref: str
    order_id: UUID | None
    payment_id: UUID | None
    refund_id: UUID | None
    there: Money | None
    here: Money | None
    can_be_healed: bool
    outcome: str
    healed_at: Time | None

    @classmethod
    def of(cls, row: Difference) -> DifferenceOut:
        return cls(
            id=row.pk,
            gateway=row.gateway,
            day=row.day,
            reason=row.reason,
            explanation=EXPLANATIONS[row.reason],
            ref=row.ref,
            order_id=row.reference,
            payment_id=row.payment_id,
            refund_id=row.refund_id,
            there=Money.of(row.money_there) if row.money_there else None,
            here=Money.of(row.money_here) if row.money_here else None,
            can_be_healed=row.reason in HEALABLE and row.healed_at is None,
            outcome=row.outcome,
            healed_at=row.healed_at,
        )


class ComparisonOut(Out):
    """One run: ``asked`` payments and refunds were asked about, ``healed`` of them changed."""

    id: UUID
    status: Literal["running", "finished", "given_up"]
    step: str
    since: Time
    until: Time
    requested_at: Time
    finished_at: Time | None
    gateways: list[GatewayAnswer]
    asked: int
    healed: int
    open_differences: int

    @classmethod
    def of(cls, row: Comparison) -> ComparisonOut:
        status = "running" if flow.is_running(row) else "given_up"
        return cls(
            id=row.pk,
            status="finished" if row.finished_at else status,
            step=row.step,
            since=row.since,
            until=row.until,
            requested_at=row.requested_at,
            finished_at=row.finished_at,
            gateways=row.gateways,
            asked=row.asked,
            healed=row.healed,
            open_differences=row.open,  # type: ignore[attr-defined]
        )


class ComparisonDetail(ComparisonOut):
    days: list[ComparedDayOut]


class ComparisonIn(In):
    """The span to compare; the last seven days when it is left out."""

    since: Moment | None = Field(None, examples=["2026-11-01T00:00:00Z"])
    until: Moment | None = None


@routes.get(
    "/comparisons",
    auth=staff(Permission.PAYMENTS_READ),
    response={200: Listing[ComparisonOut], **problems(401, 403, 422)},
)
def list_comparisons(request: HttpRequest, paging: Query[Paging]) -> Any:
    """Comparisons of the gateways' money with the books, newest first."""
    page = paginate(comparisons(), order=["-id"], limit=paging.limit, cursor=paging.cursor)
    return listing(page, ComparisonOut.of)


@routes.post(
    "/comparisons",
    auth=staff(Permission.PAYMENTS_READ),
    response={202: ComparisonOut, **problems(400, 401, 403, 413, 422)},
)
def start_comparison(request: HttpRequest, body: ComparisonIn) -> HttpResponse:
    """Heal what the gateways know better, then compare, by a job. One that is under way is
    answered instead of a second one."""

    def act() -> tuple[int, ComparisonOut]:
        wanted = flow.request(actor_id=request.user.pk, since=body.since, until=body.until)
        return 202, ComparisonOut.of(comparison(wanted.pk))

    return answer_once(request, act)


@routes.get(
    "/comparisons/{uuid:comparison_id}",
    auth=staff(Permission.PAYMENTS_READ),
    response={200: ComparisonDetail, **problems(401, 403, 404)},
)
def get_comparison(request: HttpRequest, comparison_id: UUID) -> Any:
    """One comparison with its days."""
    row = comparison(comparison_id)
    days = row.days.order_by("gateway", "currency", "day")
    return ComparisonDetail(
        **dict(ComparisonOut.of(row)), days=[ComparedDayOut.of(day) for day in days]
    )


@routes.get(
    "/comparisons/{uuid:comparison_id}/differences",
    auth=staff(Permission.PAYMENTS_READ),
    response={200: Listing[DifferenceOut], **problems(401, 403, 404, 422)},
)
def list_differences(request: HttpRequest, comparison_id: UUID, paging: Query[Paging]) -> Any:
    """What differs, item by item, with the reason and what can be done."""
    rows = comparison(comparison_id).differences.all()
    page = paginate(rows, order=["-id"], limit=paging.limit, cursor=paging.cursor)
    return listing(page, DifferenceOut.of)


@routes.post(
    "/differences/{uuid:difference_id}/heal",
    auth=staff(Permission.PAYMENTS_REFUND),
    response={200: DifferenceOut, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def heal_difference(request: HttpRequest, difference_id: UUID) -> HttpResponse:
    """Ask the gateway once more and settle what it says; ``outcome`` tells what came of it."""

    def act() -> tuple[int, DifferenceOut]:
        mended = flow.heal_difference(difference_id=difference_id, actor_id=request.user.pk)
        return 200, DifferenceOut.of(mended)

    return answer_once(request, act, durable=False)
