"""Money of another amount or currency than was asked for: what says so, and the two ways out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field

from markethall.flows import mismatches
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.payments import queries
from markethall.foundation.payments.errors import PaymentMissing
from markethall.foundation.payments.models import Payment, Refund
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.core import answer_once
from markethall.interfaces.api.payments import PaymentOut, RefundOut, show_payments
from markethall.interfaces.api.refunds import routes
from markethall.interfaces.api.schemas import Out, problems


class MismatchOut(Out):
    """What waits for a decision; ``evidence`` is empty when nothing does."""

    payment: PaymentOut
    evidence: list[str] = Field(examples=[["The gateway's list of charges has $6.00."]])


class DecidedOut(Out):
    """The payment afterwards, and the refund of what goes back, which may have failed."""

    payment: PaymentOut
    refund: RefundOut | None

    @classmethod
    def of(cls, payment_id: UUID, refund: Refund | None) -> DecidedOut:
        return cls(
            payment=show_payments([_payment(payment_id)])[0],
            refund=RefundOut.of(refund) if refund else None,
        )


@routes.get(
    "/{uuid:payment_id}/mismatch",
    auth=staff(Permission.PAYMENTS_READ),
    response={200: MismatchOut, **problems(401, 403, 404)},
)
def get_mismatch(request: HttpRequest, payment_id: UUID) -> Any:
    """Whether other money came for a payment than was asked for; asks no gateway."""
    payment = _payment(payment_id)
    return MismatchOut(
        payment=show_payments([payment])[0], evidence=mismatches.evidence_of(payment).sentences
    )


@routes.post(
    "/{uuid:payment_id}/give-back",
    auth=staff(Permission.PAYMENTS_REFUND),
    response={200: DecidedOut, **problems(400, 401, 403, 404, 409, 422, 503)},
)
def give_back(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Give back all of the money of another amount; the order stays as it is."""

    def act() -> tuple[int, DecidedOut]:
        back = mismatches.give_back(payment_id=payment_id, actor_id=request.user.pk)
        return 200, DecidedOut.of(payment_id, back)

    return answer_once(request, act, durable=False)


@routes.post(
    "/{uuid:payment_id}/accept",
    auth=staff(Permission.PAYMENTS_REFUND),
    response={200: DecidedOut, **problems(400, 401, 403, 404, 409, 422, 503)},
)
def accept(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Let money that covers the order pay for it; what is too much goes back."""

    def act() -> tuple[int, DecidedOut]:
        back = mismatches.accept(payment_id=payment_id, actor_id=request.user.pk)
        return 200, DecidedOut.of(payment_id, back)

    return answer_once(request, act, durable=False)


def _payment(payment_id: UUID) -> Payment:
    payment = queries.payments().filter(pk=payment_id).first()
    if payment is None:
        raise PaymentMissing
    return payment
