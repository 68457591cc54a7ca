"""What staff act on, made ready: each takes the things that there are by name, and gives those that
it made. And what an act leaves in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from house.goods import make_product
from house.people import client_for
from house.photos import photo
from house.shelf import line_of, on_shelf, order_of, pay_for
from house.till import checkout, deliver_and_settle, press
from markethall.flows import comparison, refunds
from markethall.flows.order_parcels import pack
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.foundation.payments.models import InboxEvent, InboxStatus, Payment, SandboxCheckout
from markethall.foundation.reconciliation.models import Comparison, Difference, Reason
from markethall.kernel import clock
from markethall.trade.catalog.actions.move_products import move_product
from markethall.trade.catalog.actions.pictures import Upload, add_picture
from markethall.trade.catalog.models import ProductStatus


def paid_goods(things: dict[str, Any]) -> dict[str, Any]:
    order = order_of(things["owner"], line_of(on_shelf(), 2))
    press(pay_for(order))
    deliver_and_settle()
    return {"order_id": order.pk}


def unpaid_goods(things: dict[str, Any]) -> dict[str, Any]:
    return {"order_id": order_of(things["owner"], line_of(on_shelf())).pk}


def packed(things: dict[str, Any]) -> dict[str, Any]:
    made = paid_goods(things)
    return {**made, "shipment_id": pack(order_id=made["order_id"], actor_id=None).pk}  # type: ignore[arg-type]


def refused_refund(things: dict[str, Any]) -> dict[str, Any]:
    made = paid_goods(things)
    SandboxCheckout.objects.update(payment_method=counter.CARD_NO_REFUNDS)
    refund = refunds.refund_order(
        order_id=made["order_id"], amount=None, reason="Sorry", actor_id=None
    )
    SandboxCheckout.objects.update(payment_method=counter.CARD_OK)
    return {**made, "refund_id": refund.pk}


def too_much_paid(things: dict[str, Any]) -> dict[str, Any]:
    started = checkout(client_for(things["owner"]))
    payment = Payment.objects.get(pk=started["paymentId"])
    SandboxCheckout.objects.filter(pk=payment.gateway_ref).update(amount=payment.amount + 100)
    press(started)
    deliver_and_settle()
    return {"order_id": started["orderId"], "payment_id": payment.pk}


def none_running(_: dict[str, Any]) -> dict[str, Any]:
    return {"ended": Comparison.objects.update(finished_at=clock.now())}


def differing(things: dict[str, Any]) -> dict[str, Any]:
    payment = Payment.objects.get(reference=paid_goods(things)["order_id"])
    found = Difference.objects.create(
        comparison=comparison.open_one(actor_id=None),
        gateway="sandbox",
        currency="USD",
        day=clock.now().date(),
        reason=Reason.NOT_BOOKED,
        payment_id=payment.pk,
    )
    return {"difference_id": found.pk}


def parked(things: dict[str, Any]) -> dict[str, Any]:
    paid_goods(things)
    InboxEvent.objects.update(status=InboxStatus.PARKED)
    return {"event_id": InboxEvent.objects.earliest("pk").pk}


def pictured(things: dict[str, Any]) -> dict[str, Any]:
    content = photo("PNG", size=(800, 800))
    image = add_picture(
        product_id=things["product_id"],
        upload=Upload(BytesIO(content), len(content), "ring.png", "image/png"),
        actor_id=None,
    )
    return {"picture_id": image.pk}


def submitted(things: dict[str, Any]) -> dict[str, Any]:
    product = make_product("aube", shown=False)
    move_product(product_id=product.pk, to=ProductStatus.SUBMITTED, actor_id=None)
    return {"product_id": product.pk}


def filled(value: Any, things: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: filled(each, things) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, things) for each in value]
    return value.format(**things) if isinstance(value, str) else value


def told_by(act: Callable[[], Any]) -> tuple[Any, list[tuple[Any, ...]]]:
    """The answer, and the audit rows that it left."""
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    answer = act()
    left = AuditEntry.objects.exclude(pk__in=before).order_by("pk")
    told = left.values_list("action", "actor_id", "subject_type", "subject_id")
    return answer, [tuple(map(str, row)) for row in told]
