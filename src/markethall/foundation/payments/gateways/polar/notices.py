"""What Polar's webhooks say, in our words. No effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markethall.foundation.payments.gateways.base import Notice, NoticeKind
from markethall.kernel.money import Money


def read(type: str, data: Mapping[str, Any]) -> Notice:
    """The notice of one event's ``data``."""
    area = type.partition(".")[0]
    if area == "order":
        return _of_order(type, data)
    if area == "checkout":
        return _of_payment(data, ref=_text(data.get("id")), is_final=False)
    if area == "refund":
        return _of_refund(data)
    if type == "customer.deleted":
        return Notice(NoticeKind.CUSTOMER_GONE, ref=_text(data.get("id")))
    return Notice(NoticeKind.OTHER)


def _of_order(type: str, data: Mapping[str, Any]) -> Notice:
    """``order.paid`` is the moment to fulfil; what ``order.refunded`` is about comes as a refund
    event of its own."""
    ref = _text(data.get("checkout_id"))
    is_paid = type == "order.paid"
    return _of_payment(data, ref=ref, is_final=is_paid, money=_listed(data))


def _of_payment(
    data: Mapping[str, Any], *, ref: str, is_final: bool, money: Money | None = None
) -> Notice:
    payment_key = _text(_metadata(data).get("paymentId"))
    return Notice(
        NoticeKind.PAYMENT,
        ref=ref,
        money=money,
        payment_key=payment_key,
        is_foreign=not payment_key,
        is_final=is_final,
    )


def _of_refund(data: Mapping[str, Any]) -> Notice:
    """Its amount is told only where no tax makes it ambiguous; the truth is asked anyhow. One
    made by hand names the order alone, which is not known here before the order is settled."""
    refund_key = _text(_metadata(data).get("refundId"))
    return Notice(
        NoticeKind.REFUND,
        ref=_text(data.get("order_id")),
        money=_money(data, data.get("amount")) if data.get("tax_amount") == 0 else None,
        refund_key=refund_key,
        refund_ref=_text(data.get("id")),
        is_foreign=not refund_key,
    )


def _listed(data: Mapping[str, Any]) -> Money | None:
    subtotal, discount = data.get("subtotal_amount"), data.get("discount_amount", 0)
    if isinstance(subtotal, int) and isinstance(discount, int):
        return _money(data, subtotal - discount)
    return None


def _money(data: Mapping[str, Any], amount: Any) -> Money | None:
    """The amount an event names; None when it names none that can be read."""
    try:
        return Money(amount, str(data["currency"]).upper())
    except (KeyError, TypeError, ValueError):
        return None


def _metadata(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("metadata")
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
