from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.flows import customers, reconciliation, refunds
from markethall.flows.checkout import Started, Wanted, same_site, start_checkout
from markethall.foundation.accounts.limits import count_by_account
from markethall.foundation.accounts.permissions import Permission, may
from markethall.foundation.payments import queries
from markethall.foundation.payments.errors import PaymentClosed, PaymentMissing
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import NextStep
from markethall.foundation.payments.models import Payment, PaymentKind, PaymentStatus
from markethall.interfaces.api.access import person, public, signed_in, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.order_shapes import OrderState, PaymentBrief
from markethall.interfaces.api.orders import routes as order_routes
from markethall.interfaces.api.refund_shapes import (
    MoneyIn,
    RefundIn,
    RefundOrderIn,
    RefundOut,
    lines_of,
)
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Money,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel.errors import Invalid
from markethall.kernel.ids import digest
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.models import LineKind, Offer
from markethall.trade.catalog.queries import active_offers
from markethall.trade.orders.models import Order

routes = router("payments")


class CreditPack(Out):
    id: str = Field(examples=["credits-50"])
    name: str
    credits: int
    price: Money
    featured: bool
    storefront: str

    @classmethod
    def of(cls, offer: Offer) -> CreditPack:
        return cls(
            id=offer.code,
            name=offer.name,
            credits=offer.credits or 0,
            price=Money.of(offer.price),
            featured=offer.is_featured,
            storefront=offer.storefront,
        )


class Membership(Out):
    id: str
    name: str
    price: Money
    storefront: str


class Plans(Out):
    credit_packs: list[CreditPack]
    memberships: list[Membership]


class BuyIn(In):
    """One item, or an order that waits to be paid. Prices are the server's."""

    item: str | None = Field(None, min_length=1, max_length=64, examples=["credits-50"])
    quantity: int = Field(1, ge=1, le=100)
    order_id: UUID | None = None


class CheckoutIn(BuyIn):
    return_url: str = Field("", max_length=500, description="Within this site.")


class CheckoutOut(Out):
    order_id: UUID
    order_number: str
    payment_id: UUID
    checkout_url: str


class IntentOut(Out):
    order_id: UUID
    order_number: str
    payment_id: UUID
    client_secret: str
    gateway: str
    publishable_key: str = Field(description="For the gateway's script in the browser.")
    amount: Money
    status: str


class ConfirmIn(In):
    payment_id: UUID
    payment_method: str = Field(min_length=1, max_length=100, examples=["sandbox_card_ok"])
    return_url: str = Field(
        "", max_length=500, description="Within this site: where the bank's page leads back to."
    )


class NextStepOut(Out):
    """What the customer does before the payment goes on: send them to ``url``; without one, let
    the gateway's script ask with ``clientSecret``."""

    type: Literal["redirect", "script"]
    url: str | None
    client_secret: str | None

    @classmethod
    def of(cls, step: NextStep) -> NextStepOut:
        return cls(
            type="redirect" if step.url else "script",
            url=step.url or None,
            client_secret=step.client_secret or None,
        )


class PortalIn(In):
    return_url: str = Field("", max_length=500, description="Within this site.")


class PortalOut(Out):
    url: str


class PaymentOut(PaymentBrief):
    order_id: UUID
    order_number: str
    order_status: OrderState
    kind: Literal["checkout", "intent"]
    succeeded_at: Time | None


class ConfirmOut(PaymentOut):
    """``nextStep`` while the customer has to do something. The payment has not ended then: it is
    pending, or as the try before this one left it."""

    next_step: NextStepOut | None


class PaymentFilter(Paging):
    status: str = Field("", max_length=10)
    gateway: str = Field("", max_length=16)
    currency: str = Field("", max_length=3)
    storefront: str = Field(
        "", max_length=16, description="When left out, the one that the call is for, or all."
    )
    user_id: UUID | None = Field(
        None, alias="userId", description="Staff only; others see their own."
    )


def show_payments(payments: list[Payment]) -> list[PaymentOut]:
    """Payments as documents, with their orders in one query for all."""
    orders = Order.objects.only("number", "status").in_bulk([p.reference for p in payments])
    return [
        PaymentOut(
            **dict(PaymentBrief.of(payment)),
            order_id=payment.reference,
            order_number=orders[payment.reference].number,
            order_status=orders[payment.reference].status,
            kind=payment.kind,
            succeeded_at=payment.succeeded_at,
        )
        for payment in payments
    ]


@routes.get("/plans", auth=public, response={200: Plans, **problems(401, 422)})
def plans(request: HttpRequest) -> Any:
    """What can be bought without a cart, with the prices of now."""
    packs = active_offers(storefront=storefront_of(request), kind=LineKind.CREDITS)
    return Plans(credit_packs=[CreditPack.of(offer) for offer in packs], memberships=[])


@routes.post(
    "/create-checkout",
    auth=signed_in,
    response={201: CheckoutOut, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def create_checkout(request: HttpRequest, body: CheckoutIn) -> HttpResponse:
    """Order an item and open the gateway's payment page for it."""
    shop = storefront_of(request)

    def act() -> tuple[int, CheckoutOut]:
        started = _start(request, body, shop, PaymentKind.CHECKOUT, body.return_url)
        return 201, CheckoutOut(
            order_id=started.order.pk,
            order_number=started.order.number,
            payment_id=started.payment.pk,
            checkout_url=started.payment.checkout_url,
        )

    return answer_once(request, act, durable=False)


@routes.post(
    "/create-intent",
    auth=signed_in,
    response={201: IntentOut, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def create_intent(request: HttpRequest, body: BuyIn) -> HttpResponse:
    """Order an item and open a payment for a front end that collects the card itself."""
    shop = storefront_of(request)

    def act() -> tuple[int, IntentOut]:
        return 201, _intent(_start(request, body, shop, PaymentKind.INTENT, ""))

    return answer_once(request, act, durable=False)


@routes.post(
    "/confirm",
    auth=signed_in,
    response={200: ConfirmOut, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def confirm(request: HttpRequest, body: ConfirmIn) -> HttpResponse:
    """Charge an intent to a payment method. The answer tells how it ended, or what the customer
    has to do first."""

    def act() -> tuple[int, ConfirmOut]:
        payment = Payment.objects.filter(pk=body.payment_id, payer_id=request.user.pk).first()
        if payment is None or payment.kind != PaymentKind.INTENT:
            raise PaymentMissing
        if payment.status == PaymentStatus.CANCELLED:
            raise PaymentClosed
        back_to = same_site(body.return_url or f"/orders/{payment.reference}/return")
        ended, step = reconciliation.confirm(payment, body.payment_method, return_url=back_to)
        return 200, ConfirmOut(
            **dict(show_payments([ended])[0]), next_step=NextStepOut.of(step) if step else None
        )

    return answer_once(request, act, durable=False)


@routes.post(
    "/portal",
    auth=signed_in,
    response={200: PortalOut, **problems(400, 401, 403, 409, 413, 422, 429, 503)},
)
def portal(request: HttpRequest, body: PortalIn) -> Any:
    """The gateway's own page for what one has paid: receipts, payment methods. The address is for
    this person alone, and works for a while."""
    user = person(request)
    back_to = same_site(body.return_url or "/")
    count_by_account("portal", user.pk)
    return PortalOut(url=customers.open_portal(user=user, return_url=back_to))


@routes.post(
    "/refund",
    auth=staff(Permission.PAYMENTS_REFUND),
    response={201: RefundOut, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def refund(request: HttpRequest, body: RefundIn) -> HttpResponse:
    """Give money back, in part or whole, and take back what is unspent of what it bought."""
    if (body.order_id is None) == (body.payment_id is None):
        raise Invalid.field("orderId", "Name an order or a payment.")
    if body.order_id:
        return _refund_order(request, body.order_id, body)
    payment = Payment.objects.filter(pk=body.payment_id).first()
    if payment is None:
        raise PaymentMissing

    def act() -> tuple[int, RefundOut]:
        made = refunds.refund_payment(
            payment_id=payment.pk,
            amount=_minor(body.amount, payment.currency),
            reason=body.reason,
            actor_id=request.user.pk,
            key=_key(request),
            lines=lines_of(body),
            shipping=body.shipping,
        )
        return 201, RefundOut.of(made)

    return answer_once(request, act, durable=False)


@order_routes.post(
    "/{uuid:order_id}/refund",
    auth=staff(Permission.PAYMENTS_REFUND),
    response={201: RefundOut, **problems(400, 401, 403, 404, 409, 413, 422, 503)},
)
def refund_order(request: HttpRequest, order_id: UUID, body: RefundOrderIn) -> HttpResponse:
    """Give an order's money back, in part or whole."""
    return _refund_order(request, order_id, body)


def _refund_order(request: HttpRequest, order_id: UUID, body: RefundOrderIn) -> HttpResponse:
    def act() -> tuple[int, RefundOut]:
        currency = Order.objects.filter(pk=order_id).values_list("currency", flat=True).first()
        made = refunds.refund_order(
            order_id=order_id,
            amount=_minor(body.amount, currency or ""),
            reason=body.reason,
            actor_id=request.user.pk,
            key=_key(request),
            lines=lines_of(body),
            shipping=body.shipping,
        )
        return 201, RefundOut.of(made)

    return answer_once(request, act, durable=False)


@routes.get(
    "/transactions",
    auth=signed_in,
    response={200: Listing[PaymentOut], **problems(401, 422)},
)
def transactions(request: HttpRequest, filters: Query[PaymentFilter]) -> Any:
    """Money paid and given back, newest first: one's own, and all for staff who read payments."""
    reads_all = may(request.user, Permission.PAYMENTS_READ)
    shop = filters.storefront or storefront_of(request)
    page = paginate(
        queries.payments(
            references=Order.objects.filter(storefront=shop).values("pk") if shop else None,
            payer_id=filters.user_id if reads_all else request.user.pk,
            status=filters.status,
            gateway=filters.gateway,
            currency=filters.currency,
        ),
        order=["-id"],
        limit=filters.limit,
        cursor=filters.cursor,
    )
    shown = iter(show_payments(page.items))
    return listing(page, lambda _: next(shown))


@routes.get("/{uuid:payment_id}", auth=signed_in, response={200: PaymentOut, **problems(401, 404)})
def get_payment(request: HttpRequest, payment_id: UUID) -> Any:
    """One payment with its refunds."""
    reads_all = may(request.user, Permission.PAYMENTS_READ)
    payment = (
        queries.payments(payer_id=None if reads_all else request.user.pk)
        .filter(pk=payment_id)
        .first()
    )
    if payment is None:
        raise PaymentMissing
    return show_payments([payment])[0]


def _start(
    request: HttpRequest, body: BuyIn, shop: str, kind: PaymentKind, return_url: str
) -> Started:
    if (body.item is None) == (body.order_id is None):
        raise Invalid.field("item", "Name an item, or an order that waits to be paid.")
    return start_checkout(
        customer=request.user,
        wanted=[Wanted(body.item, body.quantity)] if body.item else (),
        order_id=body.order_id,
        storefront=shop,
        key=_key(request),
        kind=kind,
        return_url=return_url,
    )


def _intent(started: Started) -> IntentOut:
    return IntentOut(
        order_id=started.order.pk,
        order_number=started.order.number,
        payment_id=started.payment.pk,
        client_secret=started.payment.client_secret,
        gateway=started.payment.gateway,
        publishable_key=registry.named(started.payment.gateway).publishable_key,
        amount=Money.of(started.payment.money),
        status=started.payment.status,
    )


def _key(request: HttpRequest) -> str | None:
    """The caller's key, as one of this endpoint and of nobody else."""
    key = request.headers.get("Idempotency-Key")
    return digest(f"{request.user.pk}:{request.path}:{key}") if key else None


def _minor(amount: int | MoneyIn | None, currency: str) -> int | None:
    """The amount in minor units; raises Invalid when it is of another currency."""
    if isinstance(amount, MoneyIn):
        if currency and amount.currency.upper() != currency:
            raise Invalid.field("amount", f"This was paid in {currency}.")
        return amount.amount
    return amount
