"""Orders as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

from ninja import Field

from markethall.flows.order_sheet import Parcel, Sheet, sheet_of
from markethall.foundation.payments.models import Payment
from markethall.interfaces.api.schemas import Money, Out, Time
from markethall.kernel import money
from markethall.trade.orders.models import Order, OrderLine
from markethall.trade.orders.pieces import Pieces

OrderState = Literal[
    "PENDING",
    "PROCESSING",
    "PAYMENT_FAILED",
    "PAID",
    "FULFILLED",
    "SHIPPED",
    "DELIVERED",
    "CANCELLED",
    "REFUNDED",
]


class ChoiceOut(Out):
    """What was chosen of an option, as people read it."""

    name: str = Field(examples=["Ring size"])
    value: str = Field(examples=["52"])


class LineOut(Out):
    """``total`` is before ``discount``; ``tax`` is of what is left then."""

    id: UUID
    kind: Literal["credits", "subscription", "content", "goods"]
    item: str = Field(examples=["credits-50"])
    name: str
    quantity: int
    unit_price: Money
    total: Money
    discount: Money
    tax: Money
    tax_basis_points: int
    configuration: list[ChoiceOut]
    data: dict[str, Any]

    @classmethod
    def of(cls, line: OrderLine, currency: str) -> LineOut:
        return cls(
            id=line.pk,
            kind=line.kind,
            item=line.item,
            name=line.name,
            quantity=line.quantity,
            unit_price=Money(amount=line.unit_amount, currency=currency),
            total=Money(amount=line.total, currency=currency),
            discount=Money(amount=line.discount, currency=currency),
            tax=Money(amount=line.tax, currency=currency),
            tax_basis_points=line.tax_basis_points,
            configuration=[
                ChoiceOut(name=name, value=value) for name, value in line.data.get("shown", [])
            ],
            data=line.data,
        )


class RefundBrief(Out):
    id: UUID
    status: Literal["requested", "succeeded", "failed"]
    amount: Money
    reason: str
    created_at: Time


class PaymentBrief(Out):
    id: UUID
    status: Literal["created", "pending", "succeeded", "failed", "cancelled"]
    gateway: str
    amount: Money
    refunded: Money
    failure: str
    checkout_url: str
    created_at: Time
    refunds: list[RefundBrief]

    @classmethod
    def of(cls, payment: Payment) -> PaymentBrief:
        def amount(minor: int) -> Money:
            return Money(amount=minor, currency=payment.currency)

        return cls(
            id=payment.pk,
            status=payment.status,
            gateway=payment.gateway,
            amount=Money.of(payment.money),
            refunded=amount(payment.refunded),
            failure=payment.failure,
            checkout_url=payment.checkout_url,
            created_at=payment.created_at,
            refunds=[
                RefundBrief(
                    id=refund.pk,
                    status=refund.status,
                    amount=amount(refund.amount),
                    reason=refund.reason,
                    created_at=refund.created_at,
                )
                for refund in payment.refunds.all()
            ],
        )


class StepOut(Out):
    """One step of the timeline; ``from`` is empty for the first."""

    from_status: str = Field(serialization_alias="from")
    to_status: str = Field(serialization_alias="to")
    note: str
    at: Time


class TaxOut(Out):
    """One rate of an order's taxes: what it is reckoned on, and what it comes to. What is
    inclusive is contained in the prices."""

    name: str = Field(examples=["VAT"])
    basis_points: int = Field(examples=[1900])
    is_inclusive: bool
    net: Money
    tax: Money


class AddressBrief(Out):
    """An address as it was given; of an erased buyer only where it is."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""


class ParcelLineOut(Out):
    line_id: UUID
    name: str
    quantity: int


class ParcelOut(Out):
    id: UUID
    status: Literal["packed", "shipped", "delivered"]
    carrier: str
    tracking_number: str
    tracking_url: str
    lines: list[ParcelLineOut]
    packed_at: Time
    shipped_at: Time | None
    delivered_at: Time | None

    @classmethod
    def of(cls, parcel: Parcel) -> ParcelOut:
        row = parcel.row
        return cls(
            id=row.pk,
            status=row.status,
            carrier=row.carrier,
            tracking_number=row.tracking_number,
            tracking_url=row.tracking_url,
            lines=[
                ParcelLineOut(line_id=line.pk, name=line.name, quantity=quantity)
                for line, quantity in parcel.contents
            ],
            packed_at=row.packed_at,
            shipped_at=row.shipped_at,
            delivered_at=row.delivered_at,
        )


class PiecesOut(Out):
    """Where the pieces of a line are; what is on its way back counts as refunded."""

    line_id: UUID
    bought: int
    refunded: int
    packed: int
    sent: int
    delivered: int
    to_pack: int

    @classmethod
    def of(cls, line_id: UUID, pieces: Pieces) -> PiecesOut:
        return cls(
            line_id=line_id,
            bought=pieces.bought,
            refunded=pieces.refunded,
            packed=pieces.packed,
            sent=pieces.sent,
            delivered=pieces.delivered,
            to_pack=pieces.to_pack,
        )


class OrderOut(Out):
    """``total`` is ``itemsTotal`` less ``discount``, with ``shipping`` and ``taxAdded``. A guest's
    order has no ``customerId``."""

    id: UUID
    number: str = Field(examples=["MH-7K3Q-92XD"])
    status: OrderState
    storefront: str
    email: str
    customer_id: UUID | None
    items_total: Money
    discount: Money
    voucher: str
    shipping: Money
    shipping_method: str
    tax: Money
    tax_added: Money
    taxes: list[TaxOut]
    total: Money
    refunded: Money
    lines: list[LineOut]
    payments: list[PaymentBrief]
    receipt_url: str | None
    created_at: Time
    paid_at: Time | None


class OrderDetail(OrderOut):
    shipping_address: AddressBrief | None
    billing_address: AddressBrief | None
    customer_note: str
    can_cancel: bool = Field(description="Whether whoever bought it can still call it off.")
    pieces: list[PiecesOut]
    shipments: list[ParcelOut]
    timeline: list[StepOut]


def show_orders(orders: Sequence[Order]) -> list[OrderOut]:
    """Orders as documents, with their payments in one query for all."""
    payments: defaultdict[UUID, list[Payment]] = defaultdict(list)
    for payment in (
        Payment.objects.filter(reference__in=[order.pk for order in orders])
        .order_by("pk")
        .prefetch_related("refunds")
    ):
        payments[payment.reference].append(payment)
    return [OrderOut(**_fields(order, payments[order.pk])) for order in orders]


def show_order(order: Order) -> OrderDetail:
    """One order with everything about it."""
    (brief,) = show_orders([order])
    sheet = sheet_of(order)
    return OrderDetail(
        **dict(brief),
        **_details(sheet),
        timeline=[
            StepOut(
                from_status=step.from_status, to_status=step.to_status, note=step.note, at=step.at
            )
            for step in sheet.moves
        ],
    )


def _details(sheet: Sheet) -> dict[str, Any]:
    order = sheet.order
    return {
        "shipping_address": _address(order.shipping_address),
        "billing_address": _address(order.billing_address),
        "customer_note": order.customer_note,
        "can_cancel": sheet.may_call_off,
        "pieces": [PiecesOut.of(line_id, there) for line_id, there in sheet.pieces.items()],
        "shipments": [ParcelOut.of(parcel) for parcel in sheet.parcels],
    }


def _address(given: dict[str, str] | None) -> AddressBrief | None:
    return AddressBrief(**given) if given else None


def _taxes(order: Order) -> list[TaxOut]:
    return [
        TaxOut(
            name=row["name"],
            basis_points=row["basisPoints"],
            is_inclusive=row["isInclusive"],
            net=Money(amount=row["net"], currency=order.currency),
            tax=Money(amount=row["tax"], currency=order.currency),
        )
        for row in order.taxes
    ]


def _fields(order: Order, payments: Iterable[Payment]) -> dict[str, Any]:
    return {
        "id": order.pk,
        "number": order.number,
        "status": order.status,
        "storefront": order.storefront,
        "email": order.email,
        "customer_id": order.customer_id,
        **{
            name: Money(amount=getattr(order, name), currency=order.currency)
            for name in ("items_total", "discount", "shipping", "tax", "tax_added")
        },
        "voucher": order.voucher,
        "shipping_method": order.shipping_method,
        "taxes": _taxes(order),
        "total": Money.of(order.total_money),
        "refunded": Money.of(money.Money(order.refunded, order.currency)),
        "lines": [LineOut.of(line, order.currency) for line in order.lines.all()],
        "payments": [PaymentBrief.of(payment) for payment in payments],
        "receipt_url": f"/api/orders/{order.pk}/receipt" if order.paid_at else None,
        "created_at": order.created_at,
        "paid_at": order.paid_at,
    }
