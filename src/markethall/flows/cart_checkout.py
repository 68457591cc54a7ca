"""From a cart to the gateway's page, for somebody with an account and for a guest.

One transaction reckons the cart afresh, places the order, reserves its stock, uses its voucher and
records the payment; the gateway is called after it. The same cart agreed on once more, by a double
click, a second tab or the back button, goes on with the order that waits; agreed on otherwise, it
takes that one's place, whose stock and voucher are free again. The cart itself is emptied when the
order is paid (``flows.cart_orders``).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction

from markethall.flows import checkout, settlement
from markethall.flows.goods_news import REPLACED_REASON
from markethall.flows.quote import Buyer, Quote, QuotedLine, quote
from markethall.foundation.accounts.belongings import keep_address
from markethall.foundation.accounts.models import User
from markethall.foundation.payments.gateways.base import ChargeLine
from markethall.foundation.payments.models import Payment
from markethall.kernel import clock
from markethall.kernel.errors import Conflict, FieldError, Invalid
from markethall.kernel.ids import digest, new_id
from markethall.kernel.locking import lock_row
from markethall.kernel.texts import paragraphs
from markethall.trade.cart.errors import CartEmpty
from markethall.trade.cart.models import Cart, CartOrder
from markethall.trade.catalog.models import LineKind
from markethall.trade.inventory import actions as stock
from markethall.trade.inventory.queries import reserved_until
from markethall.trade.orders.access import order_link
from markethall.trade.orders.actions import place_order
from markethall.trade.orders.models import Order
from markethall.trade.orders.rules import PricedLine, Terms
from markethall.trade.shipping.addresses import checked
from markethall.trade.shipping.errors import AddressInvalid, NothingShipsThere
from markethall.trade.vouchers import actions as vouchers
from markethall.trade.vouchers.errors import VoucherRefused

MAX_NOTE = 500

# The orders of a cart that wait for money, locked before anything is read of the cart: one that is
# being paid meanwhile takes what was bought out of it.
_WAITING = """
SELECT c.reference, c.mark, o.status FROM cart_cartorder c JOIN orders_order o ON o.id = c.reference
 WHERE c.cart_id = %s AND o.status = ANY(%s) ORDER BY o.id FOR NO KEY UPDATE OF o
"""
_REPLACED = ["PENDING", "PAYMENT_FAILED"]
_GOES_ON = ["PENDING", "PROCESSING", "PAYMENT_FAILED"]


class TotalChanged(Conflict):
    """``quote`` is what it costs now."""

    code, title = "total_changed", "The total has changed; look at it once more"

    def __init__(self, quote: Quote) -> None:
        super().__init__(f"It is {quote.total} now.")
        self.quote = quote


@dataclass(frozen=True, slots=True)
class Started:
    """An order with the payment that was opened for it: none when it costs nothing, and then it is
    paid already."""

    order: Order
    payment: Payment | None

    @property
    def url(self) -> str:
        """Where the customer goes next: the gateway's page, or that of the order."""
        page = self.payment.checkout_url if self.payment else ""
        return page or order_link(self.order)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An order that was placed of the cart, with the digest of what was agreed on then."""

    reference: uuid.UUID
    mark: str
    status: str


@dataclass(frozen=True, slots=True)
class _Agreed:
    """All that a customer and the shop agree on."""

    cart: Cart
    quote: Quote
    customer: User | None
    email: str
    shipping_address: Mapping[str, str]
    billing_address: Mapping[str, str]
    note: str

    @property
    def mark(self) -> str:
        lines = [
            [str(line.item.variant_id), line.item.mark, line.quantity, line.unit.amount]
            for line in self.quote.sold_lines
        ]
        voucher = self.quote.voucher
        sums = [self.quote.currency, self.quote.total.amount, self.quote.tax.amount]
        code = voucher.code if voucher and voucher.is_accepted else ""
        method = self.quote.shipping_option
        sent = [method.method.code if method else "", self.shipping_address, self.billing_address]
        whose = [str(self.customer_id or ""), self.email]
        return digest(json.dumps([lines, sums, code, sent, whose, self.note]))

    @property
    def customer_id(self) -> uuid.UUID | None:
        return self.customer.pk if self.customer else None


def check_out(
    *,
    cart: Cart,
    customer: User | None,
    email: str = "",
    shipping_address: Mapping[str, Any],
    billing_address: Mapping[str, Any] | None = None,
    method_code: str,
    note: str = "",
    seen_total: int | None = None,
    seen_currency: str = "",
    key: str | None = None,
    return_url: str = "",
    keeps_address: bool = False,
) -> Started:
    """Order what is in ``cart`` and open its payment. ``email`` is a guest's; ``seen_total`` what
    the customer has agreed to pay, in minor units of ``seen_currency``, the cart's own when it is
    empty: the cart may be in another by now. ``key`` names this try: the same again gives the same
    order. ``keeps_address`` puts the address into the customer's address book.

    Raises Invalid, AddressInvalid, CartEmpty, NothingShipsThere, VoucherRefused, TotalChanged,
    OutOfStock, GatewayUnavailable and GatewayRefused. Call it outside a transaction.
    """
    back_to = checkout.same_site(return_url)
    email, sent_to, billed_to = _told(customer, email, shipping_address, billing_address, note)
    key = _own(cart, key)
    if customer and keeps_address:
        keep_address(user=customer, kind="shipping", **sent_to)
    with transaction.atomic(durable=True):
        found: uuid.UUID | Started | None = _placed_by(customer, key)
        quoted: Quote | None = None
        if found is None:
            locked = _locked(cart)
            waiting = _waiting(locked)
            quoted = quote(
                locked,
                country=sent_to["country"],
                method_code=method_code,
                buyer=Buyer(customer.pk if customer else None, email),
                looks_at_stock=False,
            )
            _check(quoted, seen_total, seen_currency or locked.currency)
            said = paragraphs(note)
            agreed = _Agreed(locked, quoted, customer, email, sent_to, billed_to, said)
            found = next((each.reference for each in waiting if each.mark == agreed.mark), None)
            if found is None:
                _make_room(agreed, waiting)
                found = _place(agreed, key, back_to)
    if isinstance(found, uuid.UUID):
        return _go_on(customer, found, back_to)
    if found.payment is None:
        return found
    opened = checkout.open_at_gateway(found.order, found.payment, _charged(quoted))
    return Started(found.order, opened)


def _told(
    customer: User | None,
    email: str,
    shipping: Mapping[str, Any],
    billing: Mapping[str, Any] | None,
    note: str,
) -> tuple[str, dict[str, str], dict[str, str]]:
    """Where the confirmation, the pieces and the invoice go. All that is wrong is told at once:
    by AddressInvalid when an address is, else by Invalid."""
    email = customer.email if customer else email.strip().lower()
    faults: list[FieldError] = []
    if not customer and not _is_email(email):
        faults.append(FieldError("email", "Give an e-mail address, for the confirmation."))
    sent_to = _address(shipping, "shippingAddress", faults)
    billed_to = _address(billing, "billingAddress", faults) if billing else sent_to
    if len(note) > MAX_NOTE:
        faults.append(FieldError("note", f"At most {MAX_NOTE} characters."))
    if faults:
        raise (Invalid if sent_to and billed_to else AddressInvalid)(errors=faults)
    return email, sent_to, billed_to


def _address(address: Mapping[str, Any], path: str, faults: list[FieldError]) -> dict[str, str]:
    """The address as it is kept; empty, and its faults among the others, when it is none."""
    try:
        return checked(address, path)
    except AddressInvalid as invalid:
        faults += invalid.errors
        return {}


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _locked(cart: Cart) -> Cart:
    try:
        return lock_row(Cart, cart.pk)
    except Cart.DoesNotExist:
        raise CartEmpty("This cart is gone; it may have joined that of your account.") from None


def _own(cart: Cart, key: str | None) -> str | None:
    """A try's key as one of this cart's owner: what others call the same is another."""
    return digest(f"{cart.user_id or cart.visitor_digest}:{key}") if key else None


def _placed_by(customer: User | None, key: str | None) -> uuid.UUID | None:
    """The order that an earlier try of this key placed."""
    if key is None:
        return None
    found = Order.objects.filter(customer_id=customer.pk if customer else None, idempotency_key=key)
    return found.values_list("pk", flat=True).first()


def _check(quoted: Quote, seen_total: int | None, seen_currency: str) -> None:
    if not quoted.sold_lines:
        raise CartEmpty
    if quoted.shipping is None:
        if not quoted.shipping_options:
            raise NothingShipsThere
        raise Invalid.field("shippingMethod", "Choose a way to send it that there is.")
    costs = (quoted.total.amount, quoted.currency)
    if seen_total is not None and (seen_total, seen_currency) != costs:
        raise TotalChanged(quoted)
    if seen_total is None and quoted.voucher and not quoted.voucher.is_accepted:
        raise VoucherRefused(quoted.voucher.reason)


def _waiting(cart: Cart) -> list[_Waiting]:
    """The orders of a locked cart that wait for money, locked."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [cart.pk, _GOES_ON])
        return [_Waiting(uuid.UUID(str(row[0])), *row[1:]) for row in cursor.fetchall()]


def _make_room(agreed: _Agreed, waiting: Sequence[_Waiting]) -> None:
    """Cancel the orders that wait: another takes their place.

    What they keep and what the other one wants is locked together, in the order of locks: whoever
    went from one to the other would meet somebody who goes the other way.
    """
    replaced = [each.reference for each in waiting if each.status in _REPLACED]
    if not replaced:
        return
    stock.lock_items(_pieces(agreed.quote), references=replaced)
    vouchers.lock_used(replaced, besides=_voucher_id(agreed.quote))
    for reference in replaced:
        checkout.cancel_order(
            order_id=reference,
            actor_id=agreed.customer_id,
            note=REPLACED_REASON,
        )


def _place(agreed: _Agreed, key: str | None, back_to: str) -> Started:
    """A new order, with its stock, its voucher and its payment recorded."""
    quoted, order_id = agreed.quote, new_id()
    stored: list[CartOrder | Payment] = [
        CartOrder(cart=agreed.cart, reference=order_id, mark=agreed.mark, placed_at=clock.now())
    ]
    payment = None
    if quoted.total.amount:
        payment = checkout.first_payment(order_id, agreed.customer_id, quoted.total, back_to)
        stored.append(payment)
    order, _ = place_order(
        order_id=order_id,
        customer_id=agreed.customer_id,
        email=agreed.email,
        storefront=quoted.storefront,
        lines=[_line(line) for line in quoted.sold_lines],
        terms=_terms(agreed),
        key=key,
        besides=stored,
    )
    stock.reserve(reference=order.pk, wanted=_pieces(quoted), expires_at=reserved_until())
    if voucher_id := _voucher_id(quoted):
        vouchers.redeem(
            voucher_id,
            reference=order.pk,
            customer_id=order.customer_id,
            email=agreed.email,
            goods=quoted.items_total,
        )
    return Started(order if payment else settlement.settle_free(order.pk), payment)


def _go_on(customer: User | None, order_id: uuid.UUID, back_to: str) -> Started:
    """The order that waits, with the page that is open for it, or another try to be paid."""
    order = Order.objects.get(pk=order_id)
    if order.paid_at is not None:
        return Started(order, order.payment)
    started = checkout.start_checkout(customer=customer, order_id=order_id, return_url=back_to)
    return Started(started.order, started.payment)


def _charged(quoted: Quote | None) -> list[ChargeLine]:
    """What the gateway's page shows of a cart's lines."""
    return [
        checkout.charge_line(
            line.item.name,
            line.quantity,
            line.total,
            discount=line.discount,
            tax_added=line.tax_added,
        )
        for line in (quoted.sold_lines if quoted else ())
    ]


def _voucher_id(quoted: Quote) -> uuid.UUID | None:
    return quoted.voucher.voucher_id if quoted.voucher else None


def _pieces(quoted: Quote) -> dict[uuid.UUID, int]:
    pieces: dict[uuid.UUID, int] = {}
    for line in quoted.sold_lines:
        pieces[line.item.variant_id] = pieces.get(line.item.variant_id, 0) + line.quantity
    return pieces


def _line(line: QuotedLine) -> PricedLine:
    item = line.item
    return PricedLine(
        kind=LineKind.GOODS,
        item=item.sku,
        name=item.name,
        quantity=line.quantity,
        unit=line.unit,
        discount=line.discount,
        tax=line.tax,
        tax_added=line.tax_added,
        tax_basis_points=line.tax_basis_points,
        data={
            "variantId": str(item.variant_id),
            "productId": str(item.product_id),
            "productSlug": item.slug,
            "sku": item.sku,
            "configuration": dict(line.configuration),
            "shown": [list(each) for each in line.shown],
            "mark": item.mark,
            "weightGrams": item.weight_grams,
            "taxCategory": item.tax_category,
            "imageId": line.image_id,
        },
    )


def _terms(agreed: _Agreed) -> Terms:
    quoted = agreed.quote
    voucher, option = quoted.voucher, quoted.shipping_option
    return Terms(
        shipping=quoted.shipping.amount if quoted.shipping else 0,
        tax=quoted.tax.amount,
        tax_added=quoted.tax_added.amount,
        taxes=list(quoted.taxes),
        voucher=voucher.code if voucher and voucher.is_accepted else "",
        shipping_method=option.method.name if option else "",
        shipping_address=agreed.shipping_address,
        billing_address=agreed.billing_address,
        customer_note=agreed.note,
    )
