"""What the pages of an order show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from markethall.flows.order_sheet import Sheet, address_lines, sheet_of
from markethall.flows.reviews import reviewed
from markethall.flows.settlement import SOLD_OUT_REASON
from markethall.foundation.payments.models import Refund, RefundStatus
from markethall.kernel.money import Money
from markethall.trade.catalog.models import ProductImage
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.orders.models import Order, OrderStatus

# What the steps of a buyer's order of goods are called.
_STEPS = {
    OrderStatus.PENDING: "Ordered",
    OrderStatus.PROCESSING: "Payment under way",
    OrderStatus.PAYMENT_FAILED: "Payment declined",
    OrderStatus.PAID: "Paid",
    OrderStatus.FULFILLED: "Packed",
    OrderStatus.SHIPPED: "Sent",
    OrderStatus.DELIVERED: "Delivered",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.REFUNDED: "Given back",
}
# What the state of one is called where that is not its step.
_STATES = {OrderStatus.PENDING: "Waiting for the payment"}
_WITH_THEM = {OrderStatus.SHIPPED, OrderStatus.DELIVERED}
_AHEAD = (OrderStatus.PAID, OrderStatus.FULFILLED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def context_of(order: Order, path: str, *, acts: bool) -> dict[str, Any]:
    """What the page of an order at ``path`` shows; ``acts`` whether its buyer looks at it."""
    sheet = sheet_of(order)
    shop = storefront(order.storefront)
    refunds = _refunds(order)
    images = _images(sheet.lines)
    unreviewed = _unreviewed(order, sheet) if acts else set()
    return {
        "order": order,
        "sheet": sheet,
        "shop": shop,
        "layout": f"layouts/{shop.slug}.html",
        "path": path,
        "acts": acts,
        "rows": [
            {
                "line": line,
                "image": images.get(line.data.get("imageId") or ""),
                "shown": line.data.get("shown", []),
                "pieces": sheet.pieces.get(line.pk),
                "may_review": line.data.get("productId") in unreviewed,
                "page": f"{shop.path}/pieces/{line.data['productSlug']}"
                if line.data.get("productSlug")
                else "",
            }
            for line in sheet.lines
        ],
        "state": state_of(order) if sheet.has_goods else order.status_label,
        "was_sold_out": any(step.note == SOLD_OUT_REASON for step in sheet.steps),
        "steps": [(_STEPS[OrderStatus(step.to_status)], step.at) for step in sheet.steps],
        "ahead": _ahead(order) if sheet.has_goods else [],
        "addresses": _addresses(order),
        "refunds": refunds,
        "is_going_back": not all(refund["is_done"] for refund in refunds),
        "has_credits": any(line.kind == "credits" for line in sheet.lines),
        "money_goes_back": order.status == OrderStatus.CANCELLED
        and Refund.objects.filter(payment__reference=order.pk).exists(),
    }


def state_of(order: Order) -> str:
    """What the state of an order of goods is called for its buyer."""
    status = OrderStatus(order.status)
    return _STATES.get(status, _STEPS[status])


def _addresses(order: Order) -> list[tuple[str, list[str]]]:
    given = (("Sent to", order.shipping_address), ("Billed to", order.billing_address))
    return [(title, address_lines(address)) for title, address in given if address]


def _ahead(order: Order) -> list[str]:
    """The steps that an order of goods has still to take."""
    if order.status in _AHEAD:
        return [_STEPS[step] for step in _AHEAD[_AHEAD.index(OrderStatus(order.status)) + 1 :]]
    if order.status in {OrderStatus.CANCELLED, OrderStatus.REFUNDED}:
        return []
    return [_STEPS[step] for step in _AHEAD]


def _refunds(order: Order) -> list[dict[str, Any]]:
    """What has gone back, or is on its way."""
    rows = Refund.objects.filter(payment__reference=order.pk).exclude(status=RefundStatus.FAILED)
    return [
        {
            "pk": refund.pk,
            "amount": Money(refund.amount, order.currency),
            "reason": refund.reason,
            "at": refund.settled_at or refund.created_at,
            "is_done": refund.status == RefundStatus.SUCCEEDED,
            "has_note": refund.status == RefundStatus.SUCCEEDED
            and refund.payment_id == order.payment_id,
        }
        for refund in rows.order_by("pk")
    ]


def _unreviewed(order: Order, sheet: Sheet) -> set[str]:
    """The products of an order under way or delivered that its buyer has kept some of, and not
    reviewed yet."""
    if order.customer_id is None or order.status not in _WITH_THEM:
        return set()
    kept = {
        UUID(line.data["productId"])
        for line in sheet.lines
        if line.data.get("productId") and line.pk in sheet.pieces and sheet.pieces[line.pk].kept
    }
    return {str(pk) for pk in kept - reviewed(kept, user_id=order.customer_id)}


def _images(lines: Any) -> dict[str, ProductImage]:
    wanted = {line.data["imageId"] for line in lines if line.data.get("imageId")}
    if not wanted:
        return {}
    found = ProductImage.objects.select_related("file").filter(pk__in=wanted)
    return {str(image.pk): image for image in found}
