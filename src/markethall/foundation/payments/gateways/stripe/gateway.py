"""Stripe as Markethall calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings

import stripe
from markethall.foundation.payments.errors import GatewayRefused
from markethall.foundation.payments.gateways.base import (
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
    RefundTruth,
    Thing,
    WebhookEvent,
)
from markethall.foundation.payments.gateways.stripe import notices, requests, truths
from markethall.foundation.payments.gateways.stripe.amounts import from_stripe, to_stripe
from markethall.foundation.payments.gateways.stripe.connection import (
    calling,
    client,
    is_missing,
    keyed,
)
from markethall.kernel.money import Money

_PAGES = {
    "payment": "payments",
    "refund": "refunds",
    "chargeback": "disputes",
    "customer": "customers",
}
_WITH_INTENT: list[str] = ["payment_intent"]


class StripeGateway:
    """See the package. It keeps no state of ours."""

    name = "stripe"

    def __init__(self) -> None:
        self._environment = settings.ENVIRONMENT
        self.publishable_key: str = self._environment.stripe_publishable_key or ""

    def create_customer(self, request: CustomerRequest) -> str:
        params: Any = {"email": request.email, "metadata": {"userId": request.user_id}}
        if request.name:
            params["name"] = request.name
        with calling("customers.create"):
            return client().v1.customers.create(params, keyed(request.key)).id

    def delete_customer(self, ref: str) -> None:
        with calling("customers.delete"):
            try:
                client().v1.customers.delete(ref)
            except stripe.InvalidRequestError as error:
                if not is_missing(error):
                    raise

    def open_portal(self, ref: str, *, return_url: str) -> str:
        with calling("billing_portal.sessions.create"):
            # Each visit is a session of its own.
            return (
                client()
                .v1.billing_portal.sessions.create(
                    {"customer": ref, "return_url": return_url}, keyed(str(uuid4()))
                )
                .url
            )

    def create_checkout(self, request: ChargeRequest) -> Checkout:
        params: Any = requests.session_params(request, descriptor=self._descriptor)
        with calling("checkout.sessions.create"):
            session = client().v1.checkout.sessions.create(params, keyed(request.key))
        return Checkout(session.id, session.url or "")

    def create_intent(self, request: ChargeRequest) -> Intent:
        params: Any = requests.intent_params(request, descriptor=self._descriptor)
        with calling("payment_intents.create"):
            intent = client().v1.payment_intents.create(params, keyed(request.key))
        return Intent(intent.id, intent.client_secret or "")

    def confirm_intent(self, ref: str, payment_method: str, *, return_url: str) -> ChargeTruth:
        params: Any = {"payment_method": payment_method, "return_url": return_url}
        try:
            with calling("payment_intents.confirm"):
                # Trying the same card again is another try; Stripe charges an intent once.
                intent = client().v1.payment_intents.confirm(ref, params, keyed(str(uuid4())))
        except GatewayRefused:
            truth = self.fetch_payment(ref)
            if truth.state == ChargeState.OPEN:
                raise
            return truth
        return truths.of_intent(_plain(intent))

    def close(self, ref: str) -> ChargeTruth:
        try:
            with calling("close"):
                if _is_session(ref):
                    client().v1.checkout.sessions.expire(ref, None, keyed(f"close-{ref}"))
                else:
                    client().v1.payment_intents.cancel(
                        ref, {"cancellation_reason": "abandoned"}, keyed(f"close-{ref}")
                    )
        except GatewayRefused:
            pass  # It was over already: the truth says how.
        truth = self.fetch_payment(ref)
        if truth.state == ChargeState.FAILED and _is_session(ref):
            # A page that is over takes no other card.
            return ChargeTruth(ref, ChargeState.CLOSED, truth.money, truth.failure)
        return truth

    def fetch_payment(self, ref: str) -> ChargeTruth:
        with calling("fetch_payment"):
            if _is_session(ref):
                session = client().v1.checkout.sessions.retrieve(ref, {"expand": _WITH_INTENT})
                return truths.of_session(_plain(session))
            return truths.of_intent(_plain(client().v1.payment_intents.retrieve(ref)))

    def refund(
        self, ref: str, *, key: str, money: Money, reason: str, refund_id: str
    ) -> RefundTruth:
        intent = ref if not _is_session(ref) else self.fetch_payment(ref).charge_ref
        params: Any = {
            "charge" if intent.startswith(("ch_", "py_")) else "payment_intent": intent,
            "amount": to_stripe(money),
            "reason": "requested_by_customer",
            "metadata": {"refundId": refund_id},
        }
        with calling("refunds.create"):
            return truths.of_refund(_plain(client().v1.refunds.create(params, keyed(key))))

    def fetch_refund(self, ref: str) -> RefundTruth:
        with calling("refunds.retrieve"):
            refund = client().v1.refunds.retrieve(ref, {"expand": _WITH_INTENT})
        return truths.of_refund(_plain(refund))

    def fetch_chargeback(self, ref: str) -> ChargebackTruth:
        with calling("disputes.retrieve"):
            dispute = client().v1.disputes.retrieve(ref, {"expand": _WITH_INTENT})
        return truths.of_dispute(_plain(dispute))

    def page_of(self, thing: Thing, ref: str) -> str:
        if not ref or _is_session(ref):
            return ""
        mode = "test/" if "_test_" in (self._environment.stripe_secret_key or "") else ""
        return f"https://dashboard.stripe.com/{mode}{_PAGES[thing]}/{ref}"

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        secrets = self._environment.stripe_webhook_secret
        return notices.read_event(headers.get("Stripe-Signature", ""), body, secrets)

    def read_notice(self, type: str, payload: Mapping[str, Any]) -> Notice:
        return notices.read_notice(type, payload)

    def recent(self, since: datetime, until: datetime) -> Iterator[Movement]:
        # Stripe counts in whole seconds, and cuts the rest off: one that has begun belongs to it.
        span: Any = {
            "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp()) + 1},
            "limit": 100,
        }
        with calling("recent"):
            for charge in client().v1.charges.list(span).auto_paging_iter():
                if charge.status == "succeeded" and charge.captured:
                    yield _movement(MovementKind.CHARGE, _plain(charge))
            for refund in client().v1.refunds.list(span).auto_paging_iter():
                if refund.status == "succeeded":
                    yield _movement(MovementKind.REFUND, _plain(refund))

    def recent_chargebacks(self, since: datetime) -> Iterator[ChargebackTruth]:
        asked: Any = {
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.payment_intent"],
        }
        with calling("disputes.list"):
            for dispute in client().v1.disputes.list(asked).auto_paging_iter():
                yield truths.of_dispute(_plain(dispute))

    def probe(self) -> str:
        with calling("balance.retrieve"):
            live = client().v1.balance.retrieve().livemode
        return f"Stripe answers, in {'live' if live else 'test'} mode"

    @property
    def _descriptor(self) -> str | None:
        return self._environment.stripe_statement_descriptor


def _movement(kind: MovementKind, thing: dict[str, Any]) -> Movement:
    given = thing.get("metadata") or {}
    return Movement(
        kind,
        thing["id"],
        truths.id_of(thing.get("payment_intent")) or truths.id_of(thing.get("charge")),
        from_stripe(thing["amount"], thing["currency"]),
        datetime.fromtimestamp(thing["created"], UTC),
        payment_id=str(given.get("paymentId") or ""),
        refund_id=str(given.get("refundId") or ""),
    )


def _plain(thing: stripe.StripeObject) -> dict[str, Any]:
    return thing.to_dict()


def _is_session(ref: str) -> bool:
    return ref.startswith("cs_")
