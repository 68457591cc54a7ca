"""How goods are sent, and what that costs."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Status

from markethall.flows.quote import quote
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import person, public, staff
from markethall.interfaces.api.cart import ShippingOptionOut, cart_called_for, option_out
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import Asked, In, Listing, Out, as_items, problems
from markethall.interfaces.api.storefronts import storefront_of
from markethall.trade.catalog.errors import StorefrontMissing
from markethall.trade.catalog.storefronts import storefronts
from markethall.trade.shipping import actions
from markethall.trade.shipping.models import ShippingMethod
from markethall.trade.shipping.queries import methods

routes = router("shipping")

CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["DE"])]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
Minor = Annotated[int, Field(ge=0, le=10**12)]
Slug = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$", max_length=40, examples=["insured"])]


class ShippingPriceOut(Out):
    """``upToGrams`` is null for any weight, ``freeFrom`` where it is never free."""

    currency: str
    amount: int
    up_to_grams: int | None
    free_from: int | None


class ShippingMethodOut(Out):
    """``countries`` is empty for everywhere. Amounts are minor units."""

    id: UUID
    storefront: str
    code: str
    name: str
    description: str
    kind: Literal["flat", "weight"]
    countries: list[str]
    days_min: int
    days_max: int
    tax_category: Literal["standard", "reduced", "zero"]
    position: int
    is_active: bool
    prices: list[ShippingPriceOut]

    @classmethod
    def of(cls, method: ShippingMethod) -> ShippingMethodOut:
        prices = sorted(
            method.prices.all(),
            key=lambda price: (price.currency, price.up_to_grams is None, price.up_to_grams or 0),
        )
        return cls(
            **{name: getattr(method, name) for name in cls.model_fields if name != "prices"},
            prices=[
                ShippingPriceOut(
                    currency=price.currency,
                    amount=price.amount,
                    up_to_grams=price.up_to_grams,
                    free_from=price.free_from,
                )
                for price in prices
            ],
        )


class ShippingPriceIn(In):
    currency: CurrencyCode
    amount: Minor
    up_to_grams: int | None = Field(None, ge=1, le=10**8)
    free_from: Minor | None = None


class ShippingMethodIn(In):
    """All of a method: what is left out has its default."""

    storefront: str = Field(max_length=16, examples=["elysium"])
    code: Slug
    name: str = Field(min_length=1, max_length=80)
    description: str = Field("", max_length=200)
    kind: Literal["flat", "weight"] = "flat"
    countries: list[CountryCode] = Field(default_factory=list, max_length=260)
    days_min: int = Field(1, ge=0, le=365)
    days_max: int = Field(5, ge=0, le=365)
    tax_category: Literal["standard", "reduced", "zero"] = "standard"
    position: int = Field(0, ge=0, le=1000)
    is_active: bool = True
    prices: list[ShippingPriceIn] = Field(default_factory=list, max_length=200)


class MethodsAsked(Asked):
    all: bool = Field(False, description="Those that are switched off too.")


class RatesIn(In):
    country: CountryCode


@routes.get(
    "/methods", auth=public, response={200: Listing[ShippingMethodOut], **problems(401, 422)}
)
def get_methods(request: HttpRequest, asked: Query[MethodsAsked]) -> Any:
    """The ways in which a storefront sends, or all of them do, in the order they are shown."""
    found = methods(storefront_of(request))
    if not asked.all:
        found = found.filter(is_active=True)
    return as_items([ShippingMethodOut.of(method) for method in found])


@routes.post(
    "/methods",
    auth=staff(Permission.SHIPPING_WRITE),
    response={201: ShippingMethodOut, **problems(400, 401, 403, 409, 413, 422)},
)
def post_method(request: HttpRequest, body: ShippingMethodIn) -> Any:
    """Send in a new way."""
    return Status(201, _keep(request, None, body))


@routes.put(
    "/methods/{uuid:method_id}",
    auth=staff(Permission.SHIPPING_WRITE),
    response={200: ShippingMethodOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def put_method(request: HttpRequest, method_id: UUID, body: ShippingMethodIn) -> Any:
    """Change a method, with all its prices. Orders keep what they were placed at."""
    return _keep(request, method_id, body)


@routes.delete(
    "/methods/{uuid:method_id}",
    auth=staff(Permission.SHIPPING_WRITE),
    response={204: None, **problems(401, 403, 404)},
)
def delete_method(request: HttpRequest, method_id: UUID) -> Any:
    """Send in this way no more."""
    actions.remove_method(method_id=method_id, actor_id=person(request).pk)
    return Status(204, None)


@routes.post(
    "/rates",
    auth=public,
    response={200: Listing[ShippingOptionOut], **problems(400, 401, 403, 404, 413, 422)},
)
def post_rates(request: HttpRequest, body: RatesIn) -> Any:
    """What it costs to send the caller's cart to a country, by each method that does; none when
    nothing goes there."""
    quoted = quote(cart_called_for(request), country=body.country, looks_at_stock=False)
    return as_items([option_out(option) for option in quoted.shipping_options])


def _keep(
    request: HttpRequest, method_id: UUID | None, body: ShippingMethodIn
) -> ShippingMethodOut:
    if body.storefront not in storefronts():
        raise StorefrontMissing.field("storefront", "There is no such storefront.")
    fields = body.model_dump(exclude={"prices"})
    method = actions.keep_method(
        actor_id=person(request).pk,
        method_id=method_id,
        prices=[actions.Price(**price.model_dump()) for price in body.prices],
        **fields,
    )
    return ShippingMethodOut.of(method)
