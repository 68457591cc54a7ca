"""The sandbox gateway as Markethall calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from markethall.foundation.payments.errors import (
    GatewayRefused,
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
from markethall.foundation.payments.gateways.sandbox import counter, outage, portal, signing
from markethall.foundation.payments.models import (
    SandboxCheckout,
    SandboxCustomer,
    SandboxRefund,
)
from markethall.kernel.money import Money

_STATES = {
    "open": ChargeState.OPEN,
    "paid": ChargeState.SUCCEEDED,
    "declined": ChargeState.FAILED,
    "abandoned": ChargeState.CLOSED,
}
_MAX_ID = 255
_TIME_TO_ANSWER = timedelta(days=10)
_BY_REF = "SELECT * FROM payments_sandboxcheckout WHERE id = ANY(%s)"


class SandboxGateway:
    """See the package: it moves no money."""

    name = "sandbox"
    publishable_key = ""

    def create_customer(self, request: CustomerRequest) -> str:
        outage.refuse()
        return counter.keep_customer(request).pk

    def delete_customer(self, ref: str) -> None:
        outage.refuse()
        SandboxCustomer.objects.filter(pk=ref).delete()

    def open_portal(self, ref: str, *, return_url: str) -> str:
        outage.refuse()
        return f"{settings.SITE_URL}/sandbox/portal/{portal.ticket(ref, return_url)}"

    def create_checkout(self, request: ChargeRequest) -> Checkout:
        outage.refuse()
        record = counter.open_checkout(request, kind="checkout")
        return Checkout(record.pk, f"{settings.SITE_URL}/sandbox/pay/{record.pk}")

    def create_intent(self, request: ChargeRequest) -> Intent:
        outage.refuse()
        record = counter.open_checkout(request, kind="intent")
        return Intent(record.pk, f"{record.pk}_secret_{record.idempotency_key}")

    def confirm_intent(self, ref: str, payment_method: str, *, return_url: str) -> ChargeTruth:
        outage.refuse()
        if payment_method not in counter.PAYMENT_METHODS:
            raise GatewayRefused(
                f"The sandbox knows these cards: {', '.join(counter.PAYMENT_METHODS)}."
            )
        return _truth(counter.pay(ref, payment_method=payment_method))

    def close(self, ref: str) -> ChargeTruth:
        outage.refuse()
        return _truth(counter.close(ref))

    def fetch_payment(self, ref: str) -> ChargeTruth:
        found = self.fetch_payments([ref])
        if ref not in found:
            raise PaymentMissing("The sandbox gateway knows no such payment.")
        return found[ref]

    def fetch_payments(self, refs: Sequence[str]) -> dict[str, ChargeTruth]:
        outage.refuse()
        records = SandboxCheckout.objects.raw(_BY_REF, [list(refs)])
        return {record.pk: _truth(record) for record in records}

    def refund(
        self, ref: str, *, key: str, money: Money, reason: str, refund_id: str
    ) -> RefundTruth:
        outage.refuse()
        refund = counter.give_back(ref, key=key, money=money, refund_id=refund_id)
        if refund is None:
            failure = "The card's bank does not take the money back."
            return RefundTruth("", RefundState.FAILED, failure)
        return _refund_truth(refund)

    def fetch_refund(self, ref: str) -> RefundTruth:
        outage.refuse()
        refund = SandboxRefund.objects.select_related("checkout").filter(pk=ref).first()
        if refund is None:
            raise PaymentMissing("The sandbox gateway knows no such refund.")
        return _refund_truth(refund)

    def fetch_chargeback(self, ref: str) -> ChargebackTruth:
        outage.refuse()
        record = SandboxCheckout.objects.filter(pk=counter.disputed(ref)).first()
        if record is None or record.disputed_at is None:
            raise PaymentMissing("The sandbox gateway knows no such chargeback.")
        return _chargeback_truth(record, record.disputed_at)

    def page_of(self, thing: Thing, ref: str) -> str:
        if thing == "chargeback" and ref:
            ref = counter.disputed(ref)
        elif thing != "payment":
            return ""
        return f"{settings.SITE_URL}/sandbox/pay/{ref}"

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
        if not isinstance(data, dict):
            return Notice(NoticeKind.OTHER)
        area = type.partition(".")[0]
        if area == "payment":
            return Notice(NoticeKind.PAYMENT, ref=str(data.get("id", "")), money=_claimed(data))
        if area == "refund":
            return Notice(
                NoticeKind.REFUND,
                ref=str(data.get("payment", "")),
                money=_claimed(data),
                refund_key=str(data.get("key", "")),
                refund_ref=str(data.get("id", "")),
            )
        if area == "dispute":
            ref = str(data.get("payment", ""))
            return Notice(NoticeKind.CHARGEBACK, ref=ref, chargeback_ref=str(data.get("id", "")))
        return Notice(NoticeKind.OTHER)

    def recent(self, since: datetime, until: datetime) -> Iterator[Movement]:
        outage.refuse()
        paid = SandboxCheckout.objects.filter(paid_at__gte=since, paid_at__lt=until)
        for record in paid.order_by("paid_at").iterator():
            yield Movement(
                MovementKind.CHARGE,
                record.pk,
                record.pk,
                record.money,
                record.paid_at or until,
                payment_id=str(record.metadata.get("paymentId", "")),
            )
        back = SandboxRefund.objects.filter(created_at__gte=since, created_at__lt=until)
        for refund in back.select_related("checkout").order_by("created_at").iterator():
            yield Movement(
                MovementKind.REFUND,
                refund.pk,
                refund.checkout_id,
                Money(refund.amount, refund.checkout.currency),
                refund.created_at,
                payment_id=str(refund.checkout.metadata.get("paymentId", "")),
                refund_id=refund.idempotency_key[:36],
            )

    def recent_chargebacks(self, since: datetime) -> Iterator[ChargebackTruth]:
        outage.refuse()
        disputed = SandboxCheckout.objects.filter(disputed_at__gte=since)
        for record in disputed.order_by("disputed_at").iterator():
            yield _chargeback_truth(record, record.disputed_at or since)

    def probe(self) -> str:
        outage.refuse()
        return "the sandbox gateway answers; it moves no money"


def _refund_truth(refund: SandboxRefund) -> RefundTruth:
    money = Money(refund.amount, refund.checkout.currency)
    return RefundTruth(refund.pk, RefundState.SUCCEEDED, money=money)


def _chargeback_truth(record: SandboxCheckout, disputed_at: datetime) -> ChargebackTruth:
    return ChargebackTruth(
        counter.dispute_ref(record),
        record.pk,
        ChargebackState(record.dispute),
        record.money,
        withdrawn=record.dispute != ChargebackState.WON,
        reason="fraudulent",
        due_by=disputed_at + _TIME_TO_ANSWER,
        payment_key=str(record.metadata.get("paymentId", "")),
    )


def _truth(record: SandboxCheckout) -> ChargeTruth:
    failed = record.status == "declined"
    return ChargeTruth(
        record.pk,
        _STATES[record.status],
        record.money,
        "The card was declined." if failed else "",
    )


def _claimed(data: Mapping[str, Any]) -> Money | None:
    """The amount an event names; None when it names none that can be read."""
    try:
        return Money(data["amount"], data["currency"])
    except (KeyError, TypeError, ValueError):
        return None
