"""What Stripe answers, in our words. Touches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from markethall.foundation.payments.errors import GatewayUnavailable
from markethall.foundation.payments.gateways.base import (
    ChargebackState,
    ChargebackTruth,
    ChargeState,
    ChargeTruth,
    NextStep,
    RefundState,
    RefundTruth,
)
from markethall.foundation.payments.gateways.stripe.amounts import from_stripe
from markethall.kernel.money import Money

_INTENT = {
    "requires_confirmation": ChargeState.OPEN,
    "requires_action": ChargeState.OPEN,
    "processing": ChargeState.PROCESSING,
    "requires_capture": ChargeState.PROCESSING,
    "succeeded": ChargeState.SUCCEEDED,
    "canceled": ChargeState.CLOSED,
}
_REFUND = {
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
# An inquiry takes no money; one that was closed or prevented is over without a loss.
_DISPUTE = {
    "needs_response": ChargebackState.NEEDS_RESPONSE,
    "warning_needs_response": ChargebackState.NEEDS_RESPONSE,
    "won": ChargebackState.WON,
    "warning_closed": ChargebackState.WON,
    "prevented": ChargebackState.WON,
    "lost": ChargebackState.LOST,
}


def of_intent(intent: Mapping[str, Any]) -> ChargeTruth:
    """A PaymentIntent; one whose last card was declined has failed, and can be tried again."""
    failure = str((intent.get("last_payment_error") or {}).get("message") or "")
    state = _INTENT.get(intent["status"])
    if state is None:
        state = ChargeState.FAILED if intent.get("last_payment_error") else ChargeState.OPEN
    paid = state == ChargeState.SUCCEEDED
    amount = intent["amount_received"] if paid else intent["amount"]
    return ChargeTruth(
        intent["id"],
        state,
        _money(amount, intent["currency"]),
        failure if state == ChargeState.FAILED else "",
        charge_ref=intent["id"],
        next_step=_next_step(intent),
    )


def of_session(session: Mapping[str, Any]) -> ChargeTruth:
    """A Checkout Session with its PaymentIntent expanded. While it is open, a declined card is
    shown by Stripe's page and is no end."""
    found = session.get("payment_intent")
    intent: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    failure = ""
    if session["status"] == "open":
        state = ChargeState.OPEN
    elif session["status"] == "expired":
        state = ChargeState.CLOSED
    elif session["payment_status"] in {"paid", "no_payment_required"}:
        state = ChargeState.SUCCEEDED
    elif intent.get("status") in {"requires_payment_method", "canceled"}:
        state = ChargeState.FAILED
        failure = str((intent.get("last_payment_error") or {}).get("message") or "")
    else:
        state = ChargeState.PROCESSING
    return ChargeTruth(
        session["id"],
        state,
        _money(session["amount_total"], session["currency"]),
        failure or ("The payment failed." if state == ChargeState.FAILED else ""),
        charge_ref=str(intent.get("id") or found or ""),
    )


def of_refund(refund: Mapping[str, Any]) -> RefundTruth:
    """A refund; what waits for the customer or the bank is pending."""
    state = _REFUND.get(str(refund.get("status")), RefundState.PENDING)
    why = str(refund.get("failure_reason") or refund.get("status") or "").replace("_", " ")
    return RefundTruth(
        refund["id"],
        state,
        f"The bank did not take the money back: {why}." if state == RefundState.FAILED else "",
        money=_money(refund["amount"], refund["currency"]),
        reason=f"Given back at Stripe: {str(refund.get('reason') or 'by hand').replace('_', ' ')}.",
        payment_key=_payment_key(refund),
    )


def of_dispute(dispute: Mapping[str, Any]) -> ChargebackTruth:
    """A dispute. The money is gone when its balance transactions add up to less than nothing."""
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    moved = sum(entry["amount"] for entry in dispute.get("balance_transactions") or [])
    return ChargebackTruth(
        dispute["id"],
        id_of(dispute.get("payment_intent")) or id_of(dispute.get("charge")),
        _DISPUTE.get(dispute["status"], ChargebackState.UNDER_REVIEW),
        _money(dispute["amount"], dispute["currency"]),
        withdrawn=moved < 0,
        reason=str(dispute.get("reason") or "").replace("_", " "),
        due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        payment_key=_payment_key(dispute),
    )


def id_of(value: object) -> str:
    """The id of something that Stripe gives by id, or whole when it was expanded."""
    return str(value.get("id") or "") if isinstance(value, Mapping) else str(value or "")


def _payment_key(owner: Mapping[str, Any]) -> str:
    intent = owner.get("payment_intent")
    metadata = intent.get("metadata") if isinstance(intent, Mapping) else None
    return str((metadata or {}).get("paymentId") or "")


def _next_step(intent: Mapping[str, Any]) -> NextStep | None:
    if intent["status"] not in {"requires_action", "requires_confirmation"}:
        return None
    action = intent.get("next_action") or {}
    url = (action.get("redirect_to_url") or {}).get("url")
    return NextStep(str(url or ""), str(intent.get("client_secret") or ""))


def _money(amount: int, currency: str) -> Money:
    try:
        return from_stripe(amount, currency)
    except (TypeError, ValueError):
        raise GatewayUnavailable("Stripe names an amount that cannot be counted here.") from None
