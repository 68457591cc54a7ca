"""Goods in tests: products with variants, their stock, and orders of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from django.db.models import F, Sum

from markethall.flows import fulfilment
from markethall.flows.checkout import start_checkout
from markethall.foundation.accounts.models import User
from markethall.kernel import clock
from markethall.kernel.money import Money
from markethall.trade.catalog.models import (
    LineKind,
    Product,
    ProductPrice,
    ProductStatus,
    Variant,
)
from markethall.trade.inventory.models import Reservation, ReservationState, StockItem, StockMove
from markethall.trade.orders.actions import place_order
from markethall.trade.orders.models import Order
from markethall.trade.orders.rules import PricedLine, Terms

HOME = {"name": "Ada", "line1": "1 Market Square", "city": "Dublin", "country": "IE"}

_NUMBERS = count(1)


def on_shelf(
    pieces: int = 10, *, price: int = 5_000, is_counted: bool = True, storefront: str = "elysium"
) -> Variant:
    """A product with one variant, of which there are so many pieces."""
    number = next(_NUMBERS)
    product = Product.objects.create(
        storefront=storefront,
        slug=f"ring-{number}",
        name=f"Ring {number}",
        status=ProductStatus.ACTIVE,
        weight_grams=20,
        published_at=clock.now(),
    )
    ProductPrice.objects.create(product=product, currency="USD", amount=price)
    variant = Variant.objects.create(product=product, sku=f"RING-{number:04d}")
    stocked(variant, pieces, is_counted=is_counted)
    return variant


def stocked(variant: Variant, pieces: int, *, is_counted: bool = True) -> StockItem:
    """There are so many pieces of a variant, by one entry of its history."""
    now = clock.now()
    item, _ = StockItem.objects.update_or_create(
        variant=variant, defaults={"is_counted": is_counted, "on_hand": pieces, "updated_at": now}
    )
    StockMove.objects.create(item=item, change=pieces, on_hand=pieces, reason="received", at=now)
    return item


def item_of(variant: Variant) -> StockItem:
    return StockItem.objects.get(pk=variant.pk)


def figures(variant: Variant) -> tuple[int, int]:
    """On hand, and reserved."""
    item = item_of(variant)
    return item.on_hand, item.reserved


def line_of(variant: Variant, quantity: int = 1, price: int = 5_000) -> PricedLine:
    """A line of an order, as a checkout writes it."""
    product = variant.product
    data: dict[str, Any] = {
        "variantId": str(variant.pk),
        "productId": str(product.pk),
        "productSlug": product.slug,
        "sku": variant.sku,
        "configuration": {},
        "shown": [],
        "weightGrams": product.weight_grams,
        "taxCategory": product.tax_category,
        "imageId": None,
    }
    return PricedLine(
        LineKind.GOODS, variant.sku, product.name, quantity, Money(price, "USD"), data
    )


def order_of(
    customer: User | None, *lines: PricedLine, reserved: bool = True, storefront: str = "elysium"
) -> Order:
    """An order that waits for its money; raises OutOfStock."""
    order, _ = place_order(
        customer_id=customer.pk if customer else None,
        email=customer.email if customer else "guest@example.com",
        storefront=storefront,
        lines=lines,
        terms=Terms(shipping_address=HOME, billing_address=HOME),
    )
    if reserved:
        fulfilment.reserve(order)
    return order


def stock_is_right(*variants: Variant) -> bool:
    """Whether every level is the sum of its history, nothing is oversold, and reserved is what
    reservations hold. Of all variants when none is named."""
    items: Sequence[StockItem] = StockItem.objects.all()
    if variants:
        items = [item for item in items if item.pk in {variant.pk for variant in variants}]
    for item in items:
        moved = StockMove.objects.filter(item=item).aggregate(sum=Sum("change"))["sum"] or 0
        held = Reservation.objects.filter(item=item, state=ReservationState.HELD)
        reserved = held.aggregate(sum=Sum("quantity"))["sum"] or 0
        if (item.on_hand, item.reserved) != (moved, reserved):
            return False
        if item.is_counted and not 0 <= item.reserved <= item.on_hand:
            return False
    return not StockItem.objects.filter(is_counted=True, on_hand__lt=F("reserved")).exists()


def pay_for(order: Order) -> dict[str, Any]:
    """Open a payment of an order; as ``house.till.checkout`` gives it."""
    owner = User.objects.filter(pk=order.customer_id).first() if order.customer_id else None
    payment = start_checkout(customer=owner, order_id=order.pk).payment
    return {
        "orderId": str(order.pk),
        "paymentId": str(payment.pk),
        "checkoutUrl": payment.checkout_url,
    }
