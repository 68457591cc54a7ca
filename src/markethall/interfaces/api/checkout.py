"""From a cart to an order and its payment, for customers and guests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field

from markethall.flows.cart_checkout import MAX_NOTE, TotalChanged, check_out
from markethall.flows.quote import Buyer, quote
from markethall.foundation.accounts.limits import count, count_by_address
from markethall.interfaces.api.access import public
from markethall.interfaces.api.cart import CartOut, Country, cart_called_for, shown
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.orders import OrderState
from markethall.interfaces.api.schemas import In, Money, Out, problems
from markethall.interfaces.api.shoppers import buyer_of
from markethall.interfaces.web.currencies import chosen_currency
from markethall.trade.cart.models import Cart
from markethall.trade.orders.access import order_link

routes = router("checkout")


class PostalAddress(In):
    """``country`` is ISO 3166-1 alpha-2. What is missing, or looks wrong, is said by field."""

    name: str = Field("", max_length=150)
    company: str = Field("", max_length=150)
    line1: str = Field("", max_length=200)
    line2: str = Field("", max_length=200)
    city: str = Field("", max_length=100)
    region: str = Field("", max_length=100)
    postal_code: str = Field("", max_length=20)
    country: str = Field("", max_length=2, examples=["DE"])
    phone: str = Field("", max_length=32)


class QuoteIn(In):
    country: Country = ""
    shipping_method: str = Field("", max_length=40)
    email: str = Field("", max_length=254, description="A guest's: some codes are once each.")


class CheckOutIn(In):
    """``seenTotal`` is what the customer agreed to pay, in minor units of ``seenCurrency`` (else of
    the currency that `X-Currency` names, else of the cart's): when it is another by now, nothing is
    ordered. Guests give their ``email``."""

    email: str = Field("", max_length=254)
    shipping_address: PostalAddress
    billing_address: PostalAddress | None = None
    shipping_method: str = Field(min_length=1, max_length=40, examples=["insured"])
    note: str = Field("", max_length=MAX_NOTE)
    seen_total: int | None = Field(None, ge=0, le=10**15)
    seen_currency: str = Field("", pattern="^([A-Z]{3})?$", examples=["EUR"])
    keep_address: bool = Field(False, description="In the customer's address book.")
    return_url: str = Field("", max_length=500, description="Within this site.")


class CheckedOut(Out):
    """``checkoutUrl`` is where the customer goes next: the gateway's page or, for an order that
    costs nothing, the order's. ``orderUrl`` shows a guest their order by a signed link."""

    order_id: UUID
    order_number: str
    status: OrderState
    payment_id: UUID | None
    total: Money
    checkout_url: str
    order_url: str


@routes.post(
    "/quote", auth=public, response={200: CartOut, **problems(400, 401, 403, 404, 413, 422)}
)
def post_quote(request: HttpRequest, body: QuoteIn) -> Any:
    """What the cart costs, sent to a country by a method. Nothing is ordered or kept."""
    cart = cart_called_for(request)
    user = buyer_of(request)
    buyer = Buyer(user.pk, user.email) if user else Buyer(email=body.email.strip().lower())
    return CartOut.of(
        quote(cart, country=body.country, method_code=body.shipping_method, buyer=buyer)
    )


@routes.post(
    "",
    auth=public,
    response={201: CheckedOut, **problems(400, 401, 403, 404, 409, 413, 422, 429, 503)},
)
def post_checkout(request: HttpRequest, body: CheckOutIn) -> HttpResponse:
    """Order what is in the cart, in the cart's currency, and open its payment. The same again,
    with a key or without, leads to the same payment as long as it waits; 409 `total_changed` has
    the cart at the prices of now as `quote`, 409 `out_of_stock` says what lacks, by variant."""
    if body.email.strip() and buyer_of(request) is None:
        count("checkout", body.email)
    else:
        count_by_address("checkout")
    cart = cart_called_for(request)
    return answer_once(request, lambda: (201, _check_out(request, cart, body)), durable=False)


def _check_out(request: HttpRequest, cart: Cart, body: CheckOutIn) -> CheckedOut:
    billing = body.billing_address.model_dump() if body.billing_address else None
    try:
        started = check_out(
            cart=cart,
            customer=buyer_of(request),
            email=body.email,
            shipping_address=body.shipping_address.model_dump(),
            billing_address=billing,
            method_code=body.shipping_method,
            note=body.note,
            seen_total=body.seen_total,
            seen_currency=body.seen_currency or chosen_currency(request, cart.storefront),
            key=request.headers.get("Idempotency-Key"),
            return_url=body.return_url,
            keeps_address=body.keep_address,
        )
    except TotalChanged as changed:
        changed.extra["quote"] = shown(changed.quote)
        raise
    order, payment = started.order, started.payment
    return CheckedOut(
        order_id=order.pk,
        order_number=order.number,
        status=order.status,
        payment_id=payment.pk if payment else None,
        total=Money.of(order.total_money),
        checkout_url=started.url,
        order_url=order_link(order),
    )
