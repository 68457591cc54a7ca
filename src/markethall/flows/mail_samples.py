"""Every mail as it would look, with made-up people and orders. Nothing here is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings

from markethall.content.imaging.models import Generation
from markethall.flows import waiting
from markethall.flows.bespoke import links_values, notice_values, received_values
from markethall.flows.brands import brand_of
from markethall.flows.chargebacks import chargeback_values
from markethall.flows.goods_news import cancelled_values, shipped_values
from markethall.flows.order_news import (
    failed_values,
    order_values,
    refund_values,
    sold_out_values,
)
from markethall.flows.order_sheet import Parcel
from markethall.flows.picture_news import picture_values
from markethall.flows.receipts import receipt_values
from markethall.flows.staff_alerts import Finding, alert_values
from markethall.flows.waiting import worded
from markethall.foundation.accounts.models import User
from markethall.foundation.messaging.composing import Letter, compose
from markethall.foundation.messaging.rules import KINDS, STOPPABLE
from markethall.foundation.payments.models import (
    Chargeback,
    ChargebackStatus,
    Payment,
    Refund,
)
from markethall.kernel import clock
from markethall.trade.catalog.models import LineKind
from markethall.trade.catalog.storefronts import storefronts
from markethall.trade.leads.models import Lead
from markethall.trade.orders.models import Order, OrderLine
from markethall.trade.shipping.models import Shipment
from markethall.trade.shipping.tracking import tracking_page

READER = "ada@example.com"
_TOTAL = 1_499  # minor units
_NO_LINK = "sample"


def faces() -> list[str]:
    """Who mails can come from: the hall, and each storefront."""
    return ["hall", *storefronts()]


def sample(template: str, face: str) -> Letter:
    """The mail ``template`` as ``face`` sends it. Raises KeyError for names there are not."""
    if face not in faces():
        raise KeyError(face)
    stop = f"{settings.SITE_URL}/unsubscribe/{_NO_LINK}" if KINDS[template] in STOPPABLE else ""
    return compose(
        template,
        to=READER,
        brand=brand_of(face),
        context=_VALUES[template](face),
        unsubscribe_url=stop,
    )


def _user(face: str) -> dict[str, Any]:
    return {"user": User(email=READER, name="Ada Lovelace")}


def _nothing(face: str) -> dict[str, Any]:
    return {}


def _linked(path: str) -> Callable[[str], dict[str, Any]]:
    def values(face: str) -> dict[str, Any]:
        return {**_user(face), "link": f"{settings.SITE_URL}/{path}/{_NO_LINK}"}

    return values


def _with(**more: Any) -> Callable[[str], dict[str, Any]]:
    return lambda face: {**_user(face), **more}


def _shop(face: str) -> str:
    return face if face in storefronts() else storefronts()[0]


def _order(face: str) -> Order:
    now = clock.now()
    return Order(
        number="MH-2026-00042",
        email=READER,
        storefront=_shop(face),
        currency="USD",
        items_total=_TOTAL,
        total=_TOTAL,
        created_at=now,
        paid_at=now,
    )


def _payment() -> Payment:
    return Payment(
        gateway=settings.ENVIRONMENT.payment_gateway,
        amount=_TOTAL,
        currency="USD",
        failure="The card was declined.",
    )


def _receipt(face: str) -> dict[str, Any]:
    line = OrderLine(
        kind=LineKind.CREDITS,
        item="credits-200",
        name="200 credits",
        quantity=1,
        unit_amount=_TOTAL,
        total=_TOTAL,
    )
    return receipt_values(_order(face), [line])


def _goods(face: str) -> tuple[Order, list[OrderLine]]:
    order = _order(face)
    order.items_total, order.shipping, order.discount, order.voucher = 189_000, 0, 18_900, "SPRING"
    order.total, order.shipping_method = 170_100, "Insured, by courier"
    order.tax = 27_159
    order.taxes = [
        {"name": "VAT", "basisPoints": 1_900, "isInclusive": True, "net": 142_941, "tax": 27_159}
    ]
    order.shipping_address = {
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4LB",
        "country": "GB",
    }
    line = OrderLine(
        kind=LineKind.GOODS,
        item="AURORA-RG-52",
        name="Aurora ring",
        quantity=1,
        unit_amount=189_000,
        total=189_000,
        data={"shown": [["Metal", "Rose gold"], ["Ring size", "52"], ["Engraving", "Always"]]},
    )
    return order, [line]


def _paid_goods(face: str) -> dict[str, Any]:
    return receipt_values(*_goods(face))


def _shipped(face: str) -> dict[str, Any]:
    order, (line,) = _goods(face)
    row = Shipment(
        carrier="DHL",
        tracking_number="00340434161094",
        tracking_url=tracking_page("DHL", "00340434161094"),
    )
    return shipped_values(order, Parcel(row, 1, [(line, 1)]), is_part=False)


def _refund(face: str) -> dict[str, Any]:
    refund = Refund(payment=_payment(), amount=_TOTAL, reason="You asked for it within a day.")
    return refund_values(_order(face), refund, taken=180)


def _chargeback(face: str) -> dict[str, Any]:
    chargeback = Chargeback(
        payment=_payment(),
        gateway_ref="sample",
        status=ChargebackStatus.NEEDS_RESPONSE,
        amount=_TOTAL,
        reason="fraudulent",
        due_by=clock.now() + timedelta(days=7),
    )
    return chargeback_values(_order(face), chargeback, is_new=True)


def _picture(face: str) -> dict[str, Any]:
    said = "The picture shows no subject that we could find. Your credit is back."
    picture = Generation(style="cute-fluffy", error_message=said)
    return picture_values(User(email=READER, name="Ada Lovelace"), picture)


def _lead(face: str) -> Lead:
    return Lead(
        number="BL-7K3Q-92XD",
        storefront=_shop(face),
        name="Ada Lovelace",
        email=READER,
        budget=450_000,
        currency="USD",
        notes="A ring from my grandmother's brooch: three small sapphires in white gold.",
        created_at=clock.now(),
    )


def _bespoke_reply(face: str) -> dict[str, Any]:
    said = "A lovely stone to work with. Could you come by on Thursday at ten?"
    return {**received_values(_lead(face)), "body": said}


def _alert(face: str) -> dict[str, Any]:
    findings = [
        Finding(worded(waiting.DEAD_EVENTS, 2), 2, "/console/inbox?status=dead"),
        Finding(worded(waiting.UNSENT_MAILS, 1), 1, "/console/mails?status=failed"),
    ]
    return alert_values(findings, since=clock.now() - timedelta(hours=1))


_VALUES: dict[str, Callable[[str], dict[str, Any]]] = {
    "verify_email": _linked("verify-email"),
    "account_exists": _linked("reset-password"),
    "no_account": _nothing,
    "reset_password": _linked("reset-password"),
    "password_changed": _user,
    "second_factor": _with(change="on"),
    "oauth_linked": _with(provider="Google"),
    "oauth_unlinked": _with(provider="Google"),
    "account_deleted": _with(by_staff=False),
    "welcome": _user,
    "order_received": _paid_goods,
    "order_receipt": _receipt,
    "order_packed": lambda face: order_values(_order(face)),
    "order_shipped": _shipped,
    "order_delivered": lambda face: order_values(_order(face)),
    "order_cancelled": lambda face: cancelled_values(_order(face), "Cancelled by the customer"),
    "payment_failed": lambda face: failed_values(_order(face), _payment()),
    "refund": _refund,
    "sold_out": lambda face: sold_out_values(_order(face)),
    "picture_ready": _picture,
    "picture_failed": _picture,
    "bespoke_received": lambda face: received_values(_lead(face)),
    "bespoke_reply": _bespoke_reply,
    "bespoke_link": lambda face: links_values([_lead(face)]),
    "bespoke_notice": lambda face: notice_values(_lead(face), _lead(face).notes, is_new=True),
    "staff_alert": _alert,
    "chargeback": _chargeback,
}
