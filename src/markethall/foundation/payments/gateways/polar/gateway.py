"""Polar as Markethall calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from django.db import connection
from polar.v2026_10.literals import PresentmentCurrency
from polar.v2026_10.outputs import Dispute, Order, Refund

from markethall.foundation.payments.errors import (
    GatewayRefused,
    GatewayUnavailable,
    InvalidSignature,
    PaymentMissing,
)
from markethall.foundation.payments.gateways.base import (
    ChargebackState,
    ChargebackTruth,
    ChargeRequest,
    ChargeState,
    ChargeTruth,
    Checkout,
    CustomerRequest,
    Intent,
    Movement,
    MovementKind,
    Notice,
    NoticeKind,
    RefundState,
    RefundTruth,
    Thing,
    WebhookEvent,
)
from markethall.foundation.payments.gateways.polar import amounts, notices, setup, signing
from markethall.foundation.payments.gateways.polar.client import read, write
from markethall.kernel.money import Money

NO_INTENTS = "Polar takes cards on its own page only. Use create-checkout."
_STATES = {
    "open": ChargeState.OPEN,
    "confirmed": ChargeState.PROCESSING,
    "succeeded": ChargeState.PROCESSING,  # until its order is there, and paid
    "expired": ChargeState.CLOSED,
    "failed": ChargeState.CLOSED,
}
_REFUND_STATES = {
    "pending": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
# An early warning takes no money yet.
_CHARGEBACK_STATES = {
    "early_warning": ChargebackState.UNDER_REVIEW,
    "needs_response": ChargebackState.NEEDS_RESPONSE,
    "under_review": ChargebackState.UNDER_REVIEW,
    "prevented": ChargebackState.WON,
    "won": ChargebackState.WON,
    "lost": ChargebackState.LOST,
}
_MAX_ID = 255


class PolarGateway:
    """See the package: it is the seller, and adds the tax."""

    name = "polar"
    publishable_key = ""

    def create_customer(self, request: CustomerRequest) -> str:
        try:
            made = write(
                lambda polar: polar.customers.create(
                    email=request.email,
                    name=request.name or None,
                    external_id=request.user_id,
                    type="individual",
                )
            )
        except GatewayRefused:
            return self._known_customer(request)
        return made.id

    def _known_customer(self, request: CustomerRequest) -> str:
        """Who has our id at Polar already, or the address and no id of ours yet."""
        try:
            return read(lambda polar: polar.customers.get_external(request.user_id)).id
        except PaymentMissing:
            pass
        listed = read(lambda polar: polar.customers.list(email=request.email)).items
        nobodys = [found.id for found in listed if not found.external_id]
        if not nobodys:
            raise GatewayRefused("Polar knows this address as another customer.")
        write(lambda polar: polar.customers.update(nobodys[0], external_id=request.user_id))
        return nobodys[0]

    def delete_customer(self, ref: str) -> None:
        try:
            write(lambda polar: polar.customers.delete(ref, anonymize=True))
        except PaymentMissing:
            return

    def open_portal(self, ref: str, *, return_url: str) -> str:
        made = write(
            lambda polar: polar.customer_sessions.create(customer_id=ref, return_url=return_url)
        )
        return made.customer_portal_url

    def create_checkout(self, request: ChargeRequest) -> Checkout:
        currency = request.money.currency.lower()
        if currency not in get_args(PresentmentCurrency):
            raise GatewayRefused(f"Polar does not take {request.money.currency}.")
        product = setup.product_id()
        price: Any = {
            "amount_type": "fixed",
            "price_amount": request.money.amount,
            "price_currency": currency,
            "tax_behavior": "exclusive",
        }
        asked: Any = {
            "products": [product],
            "prices": {product: [price]},
            "currency": currency,
            "allow_discount_codes": False,
            "allow_trial": False,
            "customer_email": request.email,
            "success_url": request.return_url,
            "return_url": request.cancel_url,
            "metadata": {**request.metadata, "description": request.description},
        }
        if request.customer_ref:
            asked["customer_id"] = request.customer_ref
        made = write(lambda polar: polar.checkouts.create(**asked))
        return Checkout(made.id, made.url)

    def create_intent(self, request: ChargeRequest) -> Intent:
        raise GatewayRefused(NO_INTENTS)

    def confirm_intent(self, ref: str, payment_method: str, *, return_url: str) -> ChargeTruth:
        raise GatewayRefused(NO_INTENTS)

    def close(self, ref: str) -> ChargeTruth:
        """Polar closes no checkout before its time: it expires after a day. Money that comes
        until then goes back by itself."""
        return self.fetch_payment(ref)

    def fetch_payment(self, ref: str) -> ChargeTruth:
        checkout = read(lambda polar: polar.checkouts.get(ref))
        state = _STATES.get(checkout.status, ChargeState.PROCESSING)
        if state != ChargeState.PROCESSING:
            return ChargeTruth(ref, state, amounts.of_checkout(checkout))
        orders = read(lambda polar: polar.orders.list(checkout_id=ref, limit=1)).items
        if not orders:
            return ChargeTruth(ref, state, amounts.of_checkout(checkout))
        order = orders[0]
        if order.paid:
            state = ChargeState.SUCCEEDED
        elif order.status == "void":
            state = ChargeState.CLOSED
        return ChargeTruth(ref, state, amounts.of_order(order), charge_ref=order.id)

    def refund(
        self, ref: str, *, key: str, money: Money, reason: str, refund_id: str
    ) -> RefundTruth:
        with _alone(f"polar-refund:{ref}"):
            order = read(lambda polar: polar.orders.get(ref))
            for made in read(lambda polar: list(polar.refunds.iter_list(order_id=ref, limit=100))):
                if made.metadata.get("refundKey") == key:
                    return _refund_truth(made, order)
            given = write(
                lambda polar: polar.refunds.create(
                    order_id=ref,
                    amount=amounts.net_of(money, order),
                    reason="customer_request",
                    comment=reason[:500],
                    revoke_benefits=False,
                    metadata={"refundKey": key, "refundId": refund_id},
                )
            )
        return _refund_truth(given, order)

    def fetch_refund(self, ref: str) -> RefundTruth:
        found = read(lambda polar: polar.refunds.list(id=ref, limit=1)).items
        if not found:
            raise PaymentMissing("Polar knows no such refund.")
        order = read(lambda polar: polar.orders.get(found[0].order_id))
        return _refund_truth(found[0], order)

    def fetch_chargeback(self, ref: str) -> ChargebackTruth:
        dispute = read(lambda polar: polar.disputes.get(ref))
        return _chargeback_truth(dispute, _order(dispute.order_id))

    def page_of(self, thing: Thing, ref: str) -> str:
        return ""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        event_id = signing.verify(headers, body)
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        if not isinstance(payload, dict) or len(event_id) > _MAX_ID or b"\\u0000" in body:
            raise InvalidSignature("This webhook is signed, but is no event.")
        return WebhookEvent(event_id, str(payload.get("type", ""))[:100], payload)

    def read_notice(self, type: str, payload: Mapping[str, Any]) -> Notice:
        data = payload.get("data")
        return notices.read(type, data) if isinstance(data, dict) else Notice(NoticeKind.OTHER)

    def recent(self, since: datetime, until: datetime) -> Iterator[Movement]:
        seen: dict[str, Order] = {}
        for order in read(lambda polar: list(_orders(polar, since, until))):
            seen[order.id] = order
            if order.paid:
                yield Movement(
                    MovementKind.CHARGE,
                    order.id,
                    order.checkout_id or order.id,
                    amounts.of_order(order),
                    _time(order.created_at),
                    payment_id=str(order.metadata.get("paymentId", "")),
                )
        for refund in read(lambda polar: list(_refunds(polar, since))):
            if _time(refund.created_at) >= until:
                continue
            order = seen.get(refund.order_id) or _order(refund.order_id)
            seen[refund.order_id] = order
            yield Movement(
                MovementKind.REFUND,
                refund.id,
                order.checkout_id or order.id,
                amounts.of_refund(refund, order),
                _time(refund.created_at),
                payment_id=str(order.metadata.get("paymentId", "")),
                refund_id=str(refund.metadata.get("refundId", "")),
            )

    def recent_chargebacks(self, since: datetime) -> Iterator[ChargebackTruth]:
        """Polar tells of them by no webhook: this is how they become known."""
        for dispute in read(lambda polar: list(_disputes(polar, since))):
            yield _chargeback_truth(dispute, _order(dispute.order_id))

    def probe(self) -> str:
        return setup.probe()


class _alone:
    """Only one session of ours at a time does what ``name`` stands for; the second is told to
    come back. Polar would give back twice for two calls at once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [self.name])
            if not cursor.fetchone()[0]:
                raise GatewayUnavailable("Polar is being asked for a refund of this already.")

    def __exit__(self, *failure: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [self.name])


def _orders(polar: Any, since: datetime, until: datetime) -> Iterator[Order]:
    yield from polar.orders.iter_list(
        created_after=since.isoformat(),
        created_before=until.isoformat(),
        sorting=["created_at"],
        limit=100,
    )


def _refunds(polar: Any, since: datetime) -> Iterator[Refund]:
    """What was given back since then; the newest come first."""
    for refund in polar.refunds.iter_list(succeeded=True, sorting=["-created_at"], limit=100):
        if _time(refund.created_at) < since:
            return
        yield refund


def _disputes(polar: Any, since: datetime) -> Iterator[Dispute]:
    """What was opened since then; the newest come first."""
    for dispute in polar.disputes.iter_list(sorting=["-created_at"], limit=100):
        if _time(dispute.created_at) < since:
            return
        yield dispute


def _order(order_id: str) -> Order:
    return read(lambda polar: polar.orders.get(order_id))


def _refund_truth(refund: Refund, order: Order) -> RefundTruth:
    state = _REFUND_STATES.get(refund.status, RefundState.PENDING)
    failure = "Polar could not give the money back." if state == RefundState.FAILED else ""
    return RefundTruth(
        refund.id,
        state,
        failure,
        money=amounts.of_refund(refund, order),
        payment_key=str(order.metadata.get("paymentId", "")),
    )


def _chargeback_truth(dispute: Dispute, order: Order) -> ChargebackTruth:
    """Polar takes the money when the bank has decided. What it prevented by giving the money back
    comes as a refund too, and is over without a loss of its own."""
    state = _CHARGEBACK_STATES.get(dispute.status, ChargebackState.UNDER_REVIEW)
    return ChargebackTruth(
        dispute.id,
        order.checkout_id or order.id,
        state,
        amounts.of_refund(dispute, order),
        withdrawn=state == ChargebackState.LOST,
        reason=(dispute.reason or "").replace("_", " "),
        due_by=_time(dispute.evidence_due_by) if dispute.evidence_due_by else None,
        payment_key=str(order.metadata.get("paymentId", "")),
    )


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
