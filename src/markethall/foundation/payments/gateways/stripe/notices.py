"""What Stripe's webhooks are about. Touches nothing, and never believes an amount.

``READ`` are the event types that something follows from: the endpoint is subscribed to exactly
these. Of all others, nothing follows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import stripe
from markethall.foundation.payments.errors import GatewayRefused, InvalidSignature
from markethall.foundation.payments.gateways.base import Notice, NoticeKind, WebhookEvent
from markethall.foundation.payments.gateways.stripe.amounts import from_stripe
from markethall.foundation.payments.gateways.stripe.connection import API_VERSION
from markethall.foundation.payments.gateways.stripe.truths import id_of
from markethall.kernel.money import Money

TOLERANCE = 300  # seconds
_MAX_ID = 255

_SESSION = {
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
}
_INTENT = {
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
}
_REFUND = {"refund.created", "refund.updated", "refund.failed"}
_DISPUTE = {
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
}
READ = sorted(_SESSION | _INTENT | _REFUND | _DISPUTE | {"customer.deleted"})
# The same news under an older or a second name, from an endpoint that was made by hand.
_CHARGE = {"charge.succeeded", "charge.failed", "charge.pending"}
_OLD_REFUND = {"charge.refund.updated"}


def read_event(signature: str, body: bytes, secrets: list[str]) -> WebhookEvent:
    """Verify a webhook against any of ``secrets`` and read it. Raises InvalidSignature."""
    if not any(_is_signed(signature, body, secret) for secret in secrets):
        raise InvalidSignature(
            "The signature, the timestamp or the body of this webhook is not what Stripe sent."
            " Check STRIPE_WEBHOOK_SECRET."
        )
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    event_id = payload.get("id") if isinstance(payload, dict) else None
    if not isinstance(event_id, str) or not 0 < len(event_id) <= _MAX_ID or b"\\u0000" in body:
        raise InvalidSignature("This webhook is signed, but is no event.")
    return WebhookEvent(event_id, str(payload.get("type", ""))[:100], payload)


def read_notice(type: str, payload: Mapping[str, Any]) -> Notice:
    """What a stored event says. One of a connected account is none of ours."""
    data = payload.get("data")
    thing = data.get("object") if isinstance(data, Mapping) else None
    if not isinstance(thing, Mapping) or payload.get("account"):
        return Notice(NoticeKind.OTHER)
    version = payload.get("api_version")
    remark = "" if version == API_VERSION else f"It was written in API version {version}."
    return _read(type, thing, remark)


def _read(type: str, thing: Mapping[str, Any], remark: str) -> Notice:
    notice = Notice(NoticeKind.OTHER)
    ref = str(thing.get("id", ""))
    if type in _SESSION and thing.get("mode", "payment") == "payment":
        notice = _payment(thing, "amount_total", ref, True, remark)
    elif type in _INTENT:
        notice = _payment(thing, "amount", ref, False, remark)
    elif type in _CHARGE:
        notice = _payment(thing, "amount", _charge_ref(thing), False, remark)
    elif type in _REFUND | _OLD_REFUND:
        notice = _refund(thing, remark)
    elif type in _DISPUTE:
        notice = Notice(
            NoticeKind.CHARGEBACK,
            ref=_charge_ref(thing),
            chargeback_ref=ref,
            is_foreign=True,
            remark=remark,
        )
    elif type == "customer.deleted":
        notice = Notice(NoticeKind.CUSTOMER_GONE, ref=ref, remark=remark)
    return notice


def _payment(
    thing: Mapping[str, Any], amount: str, ref: str, is_final: bool, remark: str
) -> Notice:
    key = _given(thing, "paymentId")
    return Notice(
        NoticeKind.PAYMENT,
        ref=ref,
        money=_claimed(thing, amount),
        payment_key=key,
        is_foreign=not key,
        is_final=is_final,
        remark=remark,
    )


def _refund(thing: Mapping[str, Any], remark: str) -> Notice:
    key = _given(thing, "refundId")
    return Notice(
        NoticeKind.REFUND,
        ref=_charge_ref(thing),
        money=_claimed(thing, "amount"),
        refund_key=key,
        refund_ref=str(thing.get("id", "")),
        is_foreign=not key,
        remark=remark,
    )


def _is_signed(signature: str, body: bytes, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True


def _charge_ref(thing: Mapping[str, Any]) -> str:
    return id_of(thing.get("payment_intent")) or id_of(thing.get("charge")) or id_of(thing)


def _given(thing: Mapping[str, Any], name: str) -> str:
    metadata = thing.get("metadata")
    return str(metadata.get(name) or "") if isinstance(metadata, Mapping) else ""


def _claimed(thing: Mapping[str, Any], amount: str) -> Money | None:
    """The amount an event names; None when it names none that can be read."""
    try:
        return from_stripe(thing[amount], thing["currency"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, GatewayRefused):
        return None
