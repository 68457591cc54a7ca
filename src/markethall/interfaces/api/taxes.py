"""The tax rates that are stated."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Status

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import person, public, staff
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import In, Listing, Out, as_items, problems
from markethall.trade.taxes import actions
from markethall.trade.taxes.models import TaxRate

routes = router("taxes")


class TaxRateOut(Out):
    """``country`` is empty for all others; ``basisPoints`` are ten-thousandths."""

    id: UUID
    country: str
    category: Literal["standard", "reduced", "zero"]
    name: str = Field(examples=["VAT"])
    basis_points: int = Field(examples=[1900])
    is_inclusive: bool


class TaxRateIn(In):
    country: Annotated[str, Field(pattern="^([A-Z]{2})?$", examples=["DE"])]
    category: Literal["standard", "reduced", "zero"]
    name: str = Field(min_length=1, max_length=40)
    basis_points: int = Field(ge=0, le=10_000)
    is_inclusive: bool = True


@routes.get("", auth=public, response={200: Listing[TaxRateOut], **problems(401)})
def get_rates(request: HttpRequest) -> Any:
    """Every rate that is stated, by country."""
    return as_items(list(TaxRate.objects.order_by("country", "category")))


@routes.post(
    "",
    auth=staff(Permission.SHIPPING_WRITE),
    response={201: TaxRateOut, **problems(400, 401, 403, 409, 413, 422)},
)
def post_rate(request: HttpRequest, body: TaxRateIn) -> Any:
    """State a rate."""
    rate = actions.state_rate(actor_id=person(request).pk, **body.model_dump())
    return Status(201, rate)


@routes.put(
    "/{uuid:rate_id}",
    auth=staff(Permission.SHIPPING_WRITE),
    response={200: TaxRateOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def put_rate(request: HttpRequest, rate_id: UUID, body: TaxRateIn) -> Any:
    """State a rate anew. Orders keep what they were placed at."""
    return actions.state_rate(rate_id=rate_id, actor_id=person(request).pk, **body.model_dump())


@routes.delete(
    "/{uuid:rate_id}",
    auth=staff(Permission.SHIPPING_WRITE),
    response={204: None, **problems(401, 403, 404)},
)
def delete_rate(request: HttpRequest, rate_id: UUID) -> Any:
    """State a rate no longer."""
    actions.remove_rate(rate_id=rate_id, actor_id=person(request).pk)
    return Status(204, None)
