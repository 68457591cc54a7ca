"""What people have bought at ELYSIUM: by bag, checkout and the sandbox gateway, as anybody does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from markethall.flows.cart_checkout import Started, check_out
from markethall.flows.cart_entry import put_in
from markethall.flows.order_parcels import Carried, deliver_order, ship_order
from markethall.flows.reconciliation import look
from markethall.flows.refund_lines import RefundedLine
from markethall.flows.refunds import refund_order
from markethall.flows.reviews import review_product
from markethall.foundation.accounts.models import User
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.interfaces.demo.shop import STOREFRONT
from markethall.kernel.ids import digest
from markethall.trade.cart.actions import set_voucher
from markethall.trade.cart.models import Cart
from markethall.trade.cart.queries import cart_of
from markethall.trade.cart.rules import Owner
from markethall.trade.catalog.models import Product, Review
from markethall.trade.catalog.rules import default_configuration
from markethall.trade.catalog.specs import specs_of
from markethall.trade.orders.models import Order, OrderLine, OrderStatus
from markethall.trade.vouchers.actions import make_voucher
from markethall.trade.vouchers.models import Voucher

DUBLIN = {
    "name": "Casey Customer",
    "line1": "1 Market Square",
    "city": "Dublin",
    "postal_code": "D02 X285",
    "country": "IE",
}
VIENNA = {
    "name": "Mira Winter",
    "line1": "Seilergasse 9",
    "city": "Wien",
    "postal_code": "1010",
    "country": "AT",
}
PORTLAND = {
    "name": "Jonas Berg",
    "line1": "420 NW Lovejoy Street",
    "city": "Portland",
    "region": "OR",
    "postal_code": "97209",
    "country": "US",
}
LONDON = {
    "name": "Grace Lund",
    "line1": "14 Lamb's Conduit Street",
    "city": "London",
    "postal_code": "WC1N 3LE",
    "country": "GB",
}
Pieces = Sequence[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Purchase:
    """One bag that was checked out. ``who`` is a demo customer, or empty for a guest; ``then`` is
    how far it has come: paid, declined, shipped or delivered."""

    who: str
    pieces: Pieces
    address: Mapping[str, str]
    then: str = "paid"
    currency: str = "USD"
    method: str = "insured"
    voucher: str = ""
    note: str = ""
    returned: str = ""
    reviews: Mapping[str, tuple[int, str, str]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"demo:{self.who or 'guest'}:{'+'.join(slug for slug, _ in self.pieces)}"


PURCHASES = (
    Purchase(
        "customer",
        [
            (
                "aurore",
                {
                    "metal": "rose-gold",
                    "ring-size": "52",
                    "carat": "1-00",
                    "engraving": "Always, C.",
                },
            )
        ],
        DUBLIN,
        "delivered",
        "EUR",
        note="Please send it in the plain box: it is a surprise.",
        reviews={
            "aurore": (5, "She said yes", "Finer than in the pictures, and the size was right.")
        },
    ),
    Purchase(
        "mira",
        [
            ("perpetua", {"metal": "platinum", "ring-size": "54", "engraving": "21 · 6 · 2026"}),
            ("perpetua", {"metal": "platinum", "ring-size": "58", "engraving": "21 · 6 · 2026"}),
        ],
        VIENNA,
        "shipped",
        "EUR",
        "express",
    ),
    Purchase(
        "mira",
        [("selene", {"metal": "yellow-gold"}), ("thetis", {"metal": "yellow-gold"})],
        VIENNA,
        "delivered",
        "EUR",
        voucher="WELCOME10",
        returned="selene",
        reviews={"thetis": (4, "Quiet and lovely", "I would have liked it a little longer.")},
    ),
    Purchase(
        "jonas",
        [("vesper", {"metal": "yellow-gold", "carat": "0-75"})],
        PORTLAND,
        "delivered",
        reviews={"vesper": (5, "", "She has not taken it off since.")},
    ),
    Purchase("", [("leto", {"metal": "rose-gold", "engraving": "G & H"})], LONDON, "paid", "GBP"),
    Purchase("customer", [("horae", {"metal": "yellow-gold", "ring-size": "56"})], DUBLIN, "paid"),
    # The last of this customer's: what was not paid stays in the bag.
    Purchase("jonas", [("pleiades", {"metal": "white-gold"})], PORTLAND, "declined"),
)


@dataclass(frozen=True, slots=True)
class Staff:
    """Who sends parcels, and who gives money back."""

    logistics: User
    finance: User


_LEFT_LYING = ("customer", "halcyon", {"metal": "platinum", "ring-size": "52"})
GUEST = "grace@demo.markethall.test"


def make_vouchers(actor_id: UUID) -> None:
    """The codes that people may try."""
    for values in (
        {"code": "WELCOME10", "kind": "percentage", "basis_points": 1000, "max_uses_each": 1},
        {"code": "ATELIER250", "kind": "amount", "amount": 25_000, "minimum": 250_000}
        | {"currency": "USD", "max_uses": 100},
        {"code": "BYHAND", "kind": "free_shipping"},
    ):
        if not Voucher.objects.filter(storefront=STOREFRONT, code=values["code"]).exists():
            make_voucher(actor_id=actor_id, storefront=STOREFRONT, note="Demo", **values)


def buy(purchase: Purchase, customer: User | None) -> Order:
    """Buy it, as far as it has not been bought yet."""
    customer_id = customer.pk if customer else None
    placed = Order.objects.filter(customer_id=customer_id, idempotency_key=purchase.key).first()
    if placed is None or (placed.paid_at is None and purchase.then != "declined"):
        started = _check_out(purchase, customer)
        placed = started.order
        if started.payment and started.payment.status in {"created", "pending"}:
            declined = purchase.then == "declined"
            card = counter.CARD_DECLINED if declined else counter.CARD_OK
            counter.pay(started.payment.gateway_ref, payment_method=card)
            look(started.payment.pk)
    return Order.objects.prefetch_related("lines").get(pk=placed.pk)


def follow_up(purchase: Purchase, order: Order, customer: User | None, staff: Staff) -> None:
    """What came after the payment: sent, arrived, given back in part, and spoken of."""
    if purchase.then in {"shipped", "delivered"} and order.status == OrderStatus.PAID:
        carried = Carried("Sandbox Courier", f"SC{order.number.replace('-', '')}")
        ship_order(order_id=order.pk, actor_id=staff.logistics.pk, carried=carried)
    order.refresh_from_db()
    if purchase.then == "delivered" and order.status == OrderStatus.SHIPPED:
        deliver_order(order_id=order.pk, actor_id=staff.logistics.pk)
    if purchase.returned and not order.refunded:
        line = next(each for each in order.lines.all() if _slug(each) == purchase.returned)
        refund_order(
            order_id=order.pk,
            amount=None,
            reason="Returned: too large for me",
            actor_id=staff.finance.pk,
            key=f"{purchase.key}:return",
            lines=[RefundedLine(line.pk, 1, restock=True)],
        )
    for slug, (stars, title, text) in purchase.reviews.items():
        product = Product.objects.get(storefront=STOREFRONT, slug=slug)
        if customer and not Review.objects.filter(product=product, user=customer).exists():
            review_product(user=customer, product=product, rating=stars, title=title, text=text)


def leave_lying(customer: User) -> None:
    """Somebody has put something into the bag, and thinks about it."""
    _, slug, chosen = _LEFT_LYING
    owner = Owner(user_id=customer.pk)
    cart = cart_of(owner, STOREFRONT)
    if cart is None or not cart.lines.exists():
        _put(owner, slug, chosen, "USD")


def _check_out(purchase: Purchase, customer: User | None) -> Started:
    owner = Owner(user_id=customer.pk) if customer else Owner(visitor_digest=digest(purchase.key))
    cart = cart_of(owner, STOREFRONT)
    if cart is None or not cart.lines.exists():
        for slug, chosen in purchase.pieces:
            cart = _put(owner, slug, chosen, purchase.currency)
    assert cart is not None  # noqa: S101, something was put in
    if purchase.voucher:
        set_voucher(cart=cart, code=purchase.voucher)
    return check_out(
        cart=cart,
        customer=customer,
        email="" if customer else GUEST,
        shipping_address=purchase.address,
        method_code=purchase.method,
        note=purchase.note,
        key=purchase.key,
        keeps_address=customer is not None,
    )


def _put(owner: Owner, slug: str, chosen: Mapping[str, str], currency: str) -> Cart:
    product = Product.objects.get(storefront=STOREFRONT, slug=slug)
    usual = default_configuration(specs_of([product.pk])[product.pk])
    return put_in(
        owner=owner,
        product=slug,
        configuration={**usual, **chosen},
        storefront=STOREFRONT,
        currency=currency,
    )


def _slug(line: OrderLine) -> str:
    return str(line.data.get("productSlug", ""))
