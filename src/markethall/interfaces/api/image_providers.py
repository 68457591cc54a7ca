"""What image providers did, and what that cost: for staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query

from markethall.content.imaging.models import ProviderCall
from markethall.content.imaging.provider_figures import call_figures, provider_calls
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.kernel import clock
from markethall.kernel.pagination import paginate

routes = router("images")
ProviderName = Literal["local", "gemini", "openai", "replicate", "stability"]
Outcome = Literal[
    "started",
    "working",
    "made",
    "refused",
    "unavailable",
    "unusable",
    "rejected",
    "exhausted",
    "misconfigured",
    "lost",
]


class ProviderOut(Out):
    """Times in milliseconds, of calls that made a picture; ``costMicros`` in millionths of a
    dollar, without the ``unpriced`` calls."""

    provider: str
    model: str
    calls: int
    made: int
    refused: int
    failed: int
    success: float | None = Field(description="0 to 1; refusals count neither way.")
    p50_ms: float | None
    p95_ms: float | None
    cost_micros: int
    unpriced: int


class ProvidersOut(Out):
    items: list[ProviderOut]


class CallOut(Out):
    """One try at one provider. ``costMicros`` is null while its price is not known."""

    id: UUID
    image_id: UUID | None
    provider: str
    model: str
    reference: str
    outcome: Outcome
    error: str
    started_at: Time
    ended_at: Time | None
    ms: int | None
    cost_micros: int | None

    @classmethod
    def of(cls, call: ProviderCall) -> CallOut:
        return cls(
            id=call.pk,
            image_id=call.generation_id,
            provider=call.provider,
            model=call.model,
            reference=call.reference,
            outcome=call.outcome,
            error=call.error,
            started_at=call.started_at,
            ended_at=call.ended_at,
            ms=call.ms,
            cost_micros=call.cost_micros,
        )


class SpanIn(In):
    days: Annotated[int, Field(ge=1, le=90)] = 7


class CallFilter(Paging):
    provider: ProviderName | None = None
    outcome: Outcome | Literal["faults"] | None = Field(
        None, description="`faults` for all that failed."
    )


@routes.get(
    "/providers",
    auth=staff(Permission.IMAGES_READ),
    response={200: ProvidersOut, **problems(401, 403, 422)},
)
def providers(request: HttpRequest, query: Query[SpanIn]) -> Any:
    """How each provider did in the last days."""
    found = call_figures(clock.now() - timedelta(days=query.days))
    return ProvidersOut(
        items=[ProviderOut.model_validate(one, from_attributes=True) for one in found]
    )


@routes.get(
    "/providers/calls",
    auth=staff(Permission.IMAGES_READ),
    response={200: Listing[CallOut], **problems(401, 403, 422)},
)
def calls(request: HttpRequest, filters: Query[CallFilter]) -> Any:
    """Every call to a provider, newest first."""
    found = provider_calls(provider=filters.provider or "", outcome=filters.outcome or "")
    page = paginate(found, order=["-id"], limit=filters.limit, cursor=filters.cursor)
    return listing(page, CallOut.of)
