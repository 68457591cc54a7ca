"""What is asked of Stripe, as its API has it. Pure."""

from __future__ import annotations

from typing import Any

from markethall.foundation.payments.gateways.base import ChargeRequest
from markethall.foundation.payments.gateways.stripe.amounts import check_minimum, to_stripe
from markethall.kernel.money import Money

_MAX_LINES = 100


def session_params(request: ChargeRequest, *, descriptor: str | None) -> dict[str, Any]:
    """A hosted Checkout Session whose lines add up to ``request.money``. Raises GatewayRefused."""
    check_minimum(request.money)
    intent: dict[str, Any] = {"metadata": dict(request.metadata), "description": _text(request)}
    if descriptor:
        intent["statement_descriptor_suffix"] = descriptor
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": _lines(request),
        "client_reference_id": request.key,
        "metadata": dict(request.metadata),
        "payment_intent_data": intent,
        "success_url": request.return_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    if request.customer_ref:
        params["customer"] = request.customer_ref
    else:
        params["customer_email"] = request.email
    return params


def intent_params(request: ChargeRequest, *, descriptor: str | None) -> dict[str, Any]:
    """A PaymentIntent with whatever methods the account has on. Raises GatewayRefused."""
    check_minimum(request.money)
    params: dict[str, Any] = {
        "amount": to_stripe(request.money),
        "currency": request.money.currency.lower(),
        "automatic_payment_methods": {"enabled": True},
        "description": _text(request),
        "metadata": dict(request.metadata),
    }
    if request.customer_ref:
        params["customer"] = request.customer_ref
    if descriptor:
        params["statement_descriptor_suffix"] = descriptor
    return params


def _lines(request: ChargeRequest) -> list[dict[str, Any]]:
    total = sum(line.total.amount for line in request.lines)
    if total != request.money.amount or not 0 < len(request.lines) <= _MAX_LINES:
        return [_line(_text(request), 1, request.money)]
    lines = []
    for line in request.lines:
        each, rest = divmod(line.total.amount, line.quantity)
        if rest:
            lines.append(_line(f"{line.quantity} × {line.name}", 1, line.total))
        else:
            lines.append(_line(line.name, line.quantity, Money(each, line.total.currency)))
    return lines


def _line(name: str, quantity: int, each: Money) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "price_data": {
            "currency": each.currency.lower(),
            "unit_amount": to_stripe(each),
            "product_data": {"name": name[:250]},
        },
    }


def _text(request: ChargeRequest) -> str:
    return request.description or "Order"
